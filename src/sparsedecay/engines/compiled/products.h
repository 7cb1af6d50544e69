// The products that training consists of, and Adam's step.
//
// A tile holds one register's worth of neurons (lanes) for all N samples: tile[n][lane]. `rows` are
// vectors over the lanes, in[n * stride + i] numbers that are broadcast.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include "simd.h"

namespace {

template <int n>
using Number = std::integral_constant<int, n>;

constexpr int UNDER_WAY = REGISTERS == 32 ? 9 : 6;  // samples at once, to hide the latency

// out(n) = first(n) + sum_i in[n][i] rows[i], given to last(n, out). I rows at a time stay in
// registers, U samples are under way at once to hide the latency.
template <class T, int I, int U, class First, class Last>
INLINE void contract_block(int N, const T* in, int stride, const T* rows, First first, Last last) {
    using S = Simd<T>;
    typename S::V row[I], out[U];
#pragma GCC unroll 16
    for (int i = 0; i < I; ++i) row[i] = S::load(rows + i * S::lanes);
    int n = 0;
    for (; n + U <= N; n += U) {
#pragma GCC unroll 16
        for (int u = 0; u < U; ++u) out[u] = first(n + u);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i)
#pragma GCC unroll 16
            for (int u = 0; u < U; ++u)
                out[u] = S::fma(S::all(in[(n + u) * stride + i]), row[i], out[u]);
#pragma GCC unroll 16
        for (int u = 0; u < U; ++u) last(n + u, out[u]);
    }
    for (; n < N; ++n) {
        out[0] = first(n);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i) out[0] = S::fma(S::all(in[n * stride + i]), row[i], out[0]);
        last(n, out[0]);
    }
}

// The same for any number of rows; `tile` holds what goes from one block of rows to the next.
template <class T, class First, class Last>
INLINE void contract(int N, int I, const T* in, int stride, const T* rows, T* tile, First first,
                     Last last) {
    using S = Simd<T>;
    constexpr int most = REGISTERS / 2, U = UNDER_WAY;
    if (I == most) return contract_block<T, most, U>(N, in, stride, rows, first, last);
    if (I == 4) return contract_block<T, 4, U>(N, in, stride, rows, first, last);
    if (I == 1) return contract_block<T, 1, U>(N, in, stride, rows, first, last);
    auto load = [&](int n) { return S::load(tile + n * S::lanes); };
    auto store = [&](int n, typename S::V out) { S::store(tile + n * S::lanes, out); };
    for (int n = 0; n < N; ++n) store(n, first(n));
    int i = 0;
    for (; i + most <= I; i += most)
        contract_block<T, most, U>(N, in + i, stride, rows + i * S::lanes, load, store);
    for (; i + 4 <= I; i += 4)
        contract_block<T, 4, U>(N, in + i, stride, rows + i * S::lanes, load, store);
    for (; i < I; ++i)
        contract_block<T, 1, U>(N, in + i, stride, rows + i * S::lanes, load, store);
    for (int n = 0; n < N; ++n) last(n, load(n));
}

// out(i) = sum_n in[n][i] tile[n], given to take(i, out); returns sum_n tile[n] if asked to. With few
// rows the sum is split into C chains, for the same latency.
template <class T, int I, int C, bool Total, class Take>
INLINE typename Simd<T>::V correlate_block(int N, const T* in, int stride, const T* tile, int ld,
                                           Take take) {
    using S = Simd<T>;
    typename S::V out[C][I], total[C];
#pragma GCC unroll 16
    for (int i = 0; i < C * I; ++i) total[i / I] = out[i / I][i % I] = S::all(0);
    int n = 0;
    for (; n + C <= N; n += C)
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) {
            auto t = S::load(tile + (n + c) * ld);
            if (Total) total[c] = S::add(total[c], t);
#pragma GCC unroll 16
            for (int i = 0; i < I; ++i)
                out[c][i] = S::fma(S::all(in[(n + c) * stride + i]), t, out[c][i]);
        }
    for (; n < N; ++n) {
        auto t = S::load(tile + n * ld);
        if (Total) total[0] = S::add(total[0], t);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i) out[0][i] = S::fma(S::all(in[n * stride + i]), t, out[0][i]);
    }
#pragma GCC unroll 4
    for (int c = 1; c < C; ++c) {
        total[0] = S::add(total[0], total[c]);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i) out[0][i] = S::add(out[0][i], out[c][i]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < I; ++i) take(i, out[0][i]);
    return total[0];
}

template <class T, bool Total = false, class Take>
INLINE typename Simd<T>::V correlate(int N, int I, const T* in, int stride, const T* tile, int ld,
                                     Take take) {
    int i = 0;
    typename Simd<T>::V total = Simd<T>::all(0);
    auto take_later = [&](int k, typename Simd<T>::V sum) { take(i + k, sum); };
    auto blocks = [&](auto rows, auto chains) __attribute__((always_inline)) {
        constexpr int R = rows, C = chains;
        for (; i + R <= I; i += R)
            if (Total && i + R == I)
                total = correlate_block<T, R, C, true>(N, in + i, stride, tile, ld, take_later);
            else
                correlate_block<T, R, C, false>(N, in + i, stride, tile, ld, take_later);
    };
    if constexpr (REGISTERS == 32) blocks(Number<16>(), Number<1>());
    blocks(Number<8>(), Number<1>());
    blocks(Number<4>(), Number<2>());
    blocks(Number<1>(), Number<4>());
    return total;
}

// sum_n tile[n]
template <class T>
INLINE typename Simd<T>::V column_sum(int N, const T* tile, int ld) {
    const T zero = 0;
    return correlate_block<T, 1, 4, true>(N, &zero, 0, tile, ld, [](int, typename Simd<T>::V) {});
}

template <class T, int U>
INLINE void spread_block(int count, const int* index, const T* tile, int stride, const T* rows, T* x,
                         int ld) {
    using S = Simd<T>;
    typename S::V out[U];
#pragma GCC unroll 16
    for (int u = 0; u < U; ++u) out[u] = S::load(x + u * ld);
    for (int c = 0; c < count; ++c) {
        const auto row = S::load(rows + index[c] * S::lanes);
        const T* column = tile + index[c];
#pragma GCC unroll 16
        for (int u = 0; u < U; ++u) out[u] = S::fma(S::all(column[u * stride]), row, out[u]);
    }
#pragma GCC unroll 16
    for (int u = 0; u < U; ++u) S::store(x + u * ld, out[u]);
}

// x[n][j] += sum over the alive k of tile[n * stride + k] M[j][k], for the k of one register. Where
// most are alive, the others' zeros are added too: without an index all stays in registers.
template <class T>
INLINE void spread(int N, uint64_t alive, const T* tile, int stride, const T* M, int J, T* x, int ld) {
    using S = Simd<T>;
    int index[S::lanes], count = 0;
    const bool most = 2 * __builtin_popcountll(alive) > S::lanes;
    if (!most)
        for (; alive; alive &= alive - 1) index[count++] = __builtin_ctzll(alive);
    for (int j = 0; j < J; j += S::lanes) {
        typename S::V row[S::lanes];
        alignas(64) T rows[S::lanes * S::lanes];
        for (int i = 0; i < S::lanes; ++i)
            row[i] = j + i < J ? S::load(M + (j + i) * S::lanes) : S::all(0);
        transpose<T>(row);
#pragma GCC unroll 16
        for (int i = 0; i < S::lanes; ++i) S::store(rows + i * S::lanes, row[i]);
        if (most) {
            contract_block<T, S::lanes, UNDER_WAY>(
                N, tile, stride, rows, [&](int n) { return S::load(x + n * ld + j); },
                [&](int n, typename S::V out) { S::store(x + n * ld + j, out); });
            continue;
        }
        int n = 0;
        for (; n + 9 <= N; n += 9)
            spread_block<T, 9>(count, index, tile + n * stride, stride, rows, x + n * ld + j, ld);
        for (; n < N; ++n)
            spread_block<T, 1>(count, index, tile + n * stride, stride, rows, x + n * ld + j, ld);
    }
}

// The same for a few j only, x[j][n] with lanes over the samples. Reads, and writes to x, the
// samples of full registers.
template <class T>
INLINE void spread_thin(int N, const T* tile, int stride, const T* M, int J, T* x, int ld) {
    using S = Simd<T>;
    for (int n = 0; n < N; n += S::lanes) {
        typename S::V row[S::lanes];
#pragma GCC unroll 16
        for (int i = 0; i < S::lanes; ++i) row[i] = S::load(tile + (n + i) * stride);
        transpose<T>(row);
        for (int j = 0; j < J; ++j) {
            typename S::V out = S::load(x + j * ld + n);
#pragma GCC unroll 16
            for (int k = 0; k < S::lanes; ++k) out = S::fma(S::all(M[j * S::lanes + k]), row[k], out);
            S::store(x + j * ld + n, out);
        }
    }
}

template <class T>
struct Parameter {
    T *p, *m, *v;  // values, Adam's first and second moments
    Parameter at(size_t i) const { return {p + i, m + i, v + i}; }
};

// The parts of a gradient that come from lam times the regularizer (science/regularizers has the same
// numbers): L1 and L2 are the derivatives of |p| and p^2, SUM that of the squared l1 norm of a
// neuron's weights, whose norm is given. SHRINK is no gradient: the parameter is made smaller before
// the step (Loshchilov and Hutter 2019). PATH couples the weights into and out of a neuron; for it
// SIGN and SCALE add lam times a given number to the sign, and to the parameter.
enum Decay { NONE = 0, L1 = 1, L2 = 2, SUM = 4, SHRINK = 8, PATH = 16, SIGN = 32, SCALE = 64 };

// Where skip connections of the dense network come from.
enum Skips { LEAP, INPUT, NO_SKIPS };

// What is minimised: the sum of squared errors over `terms`, plus lam times the regularizer, whose
// parts are given for each kind of parameter.
struct Objective {
    int W, V, C, biases;
    bool mean;

    double terms(int outputs) const { return mean ? outputs : 1; }
};

// One step of Adam (Kingma and Ba 2015), the corrections of its moments drawn into `size` and `eps`.
template <class T>
struct Adam {
    using S = Simd<T>;
    using V = typename S::V;
    T grow1, keep2, grow2, size, eps, lam, shrink;

    Adam(double learning_rate, std::array<double, 2> betas, double epsilon, double lam, double step)
        : grow1(T(1 - betas[0])), keep2(T(betas[1])), grow2(T(1 - betas[1])), lam(T(lam)),
          shrink(T(1 - learning_rate * lam)) {
        const double root = std::sqrt(1 - std::pow(betas[1], step));
        size = T(-learning_rate / (1 - std::pow(betas[0], step)) * root);
        eps = T(epsilon * root);
    }

    // g is the gradient of the loss by the register at a.p
    inline __attribute__((always_inline)) void operator()(Parameter<T> a, V g, int decay,
                                                           V norm = S::all(0)) const {
        V p = S::load(a.p), m = S::load(a.m), v = S::load(a.v);
        if (decay & L2) g = S::fma(S::all(2 * lam), p, g);
        if (decay & L1) g = S::add(g, S::signed_as(p, S::all(lam)));
        if (decay & SUM) g = S::fma(S::all(2 * lam), S::signed_as(p, norm), g);
        if (decay & (SIGN | SCALE)) {
            const V term = decay & SIGN ? S::signed_as(p, norm) : S::mul(norm, p);
            g = S::fma(S::all(lam), term, g);
        }
        if (decay & SHRINK) p = S::mul(S::all(shrink), p);
        m = S::fma(S::all(grow1), S::sub(g, m), m);
        v = S::fma(S::all(keep2), v, S::mul(S::mul(S::all(grow2), g), g));
        p = S::fma(S::all(size), S::div(m, S::add(S::sqrt(v), S::all(eps))), p);
        S::store(a.p, p), S::store(a.m, m), S::store(a.v, v);
    }
};

}  // namespace
