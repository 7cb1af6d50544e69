// Training of the fully connected network of footnote 1,
//     h_1 = relu(W_1 x - b_1),  h_l = relu(A_l h_(l-1) + C_(l-1) h_s - b_l)  with h_0 = x,
//     y = V h_L + C_L h_s + c0,
// where the skips C come from two layers before (LEAP), from the input (INPUT), or are left out.
//
// About half of all activations are zero, later more. Every product with a K x K matrix leaves out
// what is zero in three neighbouring samples (in one sample where the gradient by the matrix is
// formed), and with it all that concerns neurons inactive in all samples. Terms that are left out
// would add an exact 0 to a sum whose order does not change, so the bits are those of the full one.
//
// Neurons go by panels of up to four registers, so that a block of the matrix and the activations it
// meets stay in the first cache.
#pragma once
#include <functional>
#include <utility>
#include <vector>

#include "products.h"

namespace {

template <class T>
class Dense {
    using S = Simd<T>;
    using V = typename S::V;
    static constexpr int lanes = S::lanes;
    static constexpr int group = 3;  // samples that share a mask

    struct Hidden {
        Values<T> h, dh;  // [panel][n][column of the panel]; dh becomes the derivative by z
        std::vector<uint64_t> active, felt;  // [panel][group]: columns where h, dh is not all zero
        Parameter<T> b;                      // [K]
    };
    struct Wide {  // K x K: [panel of the source][row of the target][column of the panel]
        Parameter<T> M;
        int source, decay;
    };

    const int N, d_in, d_out, L, K, full_K, full_N, ld_out, panels, groups;
    std::vector<int> start;  // first column of each panel
    Values<T> X, y;          // X[n][d_in], y[n][d_out]
    const bool skip;         // zeros are left out
    std::vector<Hidden> hidden;
    std::vector<std::vector<Wide>> wide;  // into each hidden layer
    std::vector<Parameter<T>> from_x;     // W1 and C: [tile][d_in][lane], lanes over neurons, or null
    Parameter<T> out_V, out_C;            // to y: [tile][d_out][lane], lanes over neurons
    Parameter<T> C_x, c0;                 // to y, from x: [block][d_in][lane], or null; [block][lane]
    Values<T> G, flat;                    // derivative by y [n][ld_out], y itself [output][n]
    Values<T> scratch, block, turned;
    std::vector<int> samples, count;      // by neuron: where its dh is not zero, and how often
    int decay_W, decay_V, decay_C, decay_b;
    T slope;  // derivative of the loss by an output, over its error

    static constexpr uint64_t every = (uint64_t(1) << lanes) - 1;
    static int full(int width) { return (width + lanes - 1) / lanes * lanes; }
    int width(int p) const { return start[p + 1] - start[p]; }

public:
    static constexpr int widest = REGISTERS == 32 ? 4 : 3;  // registers in a panel

    Dense(int N, int d_in, int d_out, int L, int K, int, const T* inputs, const T* targets,
          const std::vector<Parameter<T>>& parameters, Objective objective, bool skip, Skips skips)
        : N(N), d_in(d_in), d_out(d_out), L(L), K(K), full_K(full(K)), full_N(full(N)),
          ld_out(full(d_out)), panels((full_K / lanes + widest - 1) / widest),
          groups((N + group - 1) / group), X(inputs, inputs + N * d_in),
          y(targets, targets + N * d_out), skip(skip), hidden(L), wide(L), from_x(L), out_C{}, C_x{} {
        for (int p = 0; p <= panels; ++p) start.push_back(full_K / lanes * p / panels * lanes);
        decay_W = objective.W, decay_V = objective.V, decay_C = objective.C;
        decay_b = objective.biases;
        const int decay_A = decay_W | decay_V;  // into neurons, and out of others
        slope = T(2 / objective.terms(N * d_out));
        auto next = parameters.begin();
        for (int l = 0; l < L; ++l) {
            if (l == 0) from_x[l] = *next++;
            if (l > 0) wide[l].push_back({*next++, l - 1, decay_A});
            if (l > 1 && skips == LEAP) wide[l].push_back({*next++, l - 2, decay_C});
            else if (l > 0 && skips != NO_SKIPS) from_x[l] = *next++;
            Hidden& a = hidden[l];
            a.b = *next++;
            // a register's worth of samples more, since `spread_thin` reads whole registers
            a.h.resize(size_t(full_K) * N + lanes * widest * lanes), a.dh = a.h;
            a.active.resize(panels * groups), a.felt = a.active;
        }
        out_V = *next++;
        if (skips != NO_SKIPS) (L > 1 && skips == LEAP ? out_C : C_x) = *next++;
        c0 = *next;
        G.resize(N * ld_out), flat.resize(ld_out * full_N);
        scratch.resize(N * lanes), block.resize(widest * lanes * widest * lanes);
        turned.resize(size_t(full_K) * full_N), turned.resize(turned.size() + 1), samples.resize(turned.size()), count.resize(full_K);
    }

    std::pair<int64_t, int64_t> rested() const { return {0, 0}; }

    // Goes on with other samples, as many as before.
    void take(const T* inputs, const T* targets) {
        std::copy_n(inputs, X.size(), X.begin());
        std::copy_n(targets, y.size(), y.begin());
    }

    // Mean squared error of the present parameters.
    double error() {
        for (int l = 0; l < L; ++l) forward(l);
        output();
        double sum = 0;
        for (int n = 0; n < N; ++n)
            for (int j = 0; j < d_out; ++j) {
                T r = flat[j * full_N + n] - y[n * d_out + j];
                G[n * ld_out + j] = r * slope;
                sum += double(r) * double(r);
            }
        return sum / (N * d_out);
    }

    void advance(int64_t epochs, const std::function<Adam<T>(int64_t)>& adam) {
        for (int64_t epoch = 0; epoch < epochs; ++epoch) {
            error();
            const Adam<T> step = adam(epoch);
            for (auto& a : hidden) std::fill(a.dh.begin(), a.dh.end(), T(0));
            backward_output(step);
            for (int l = L - 1; l >= 0; --l) backward(l, step);
        }
    }

private:
    // f(tile's place in [panel][n][column], its stride, its index)
    template <class F>
    void each_tile(int p, F f) {
        for (int k = start[p]; k < start[p + 1]; k += lanes)
            f(size_t(start[p]) * N + (k - start[p]), width(p), k / lanes);
    }

    template <class F>
    void each_tile(F f) {
        for (int p = 0; p < panels; ++p) each_tile(p, f);
    }

    void forward(int l) {
        Hidden& a = hidden[l];
        const V zero = S::all(0);
        const T* M = from_x[l].p;
        for (int p = 0; p < panels; ++p) {
            each_tile(p, [&](size_t at, int ld, int t) {
                T* z = a.h.data() + at;
                V minus_b = S::sub(zero, S::load(a.b.p + t * lanes));
                contract<T>(
                    N, M ? d_in : 0, X.data(), d_in, M ? M + t * d_in * lanes : M, scratch.data(),
                    [&](int) { return minus_b; }, [&](int n, V out) { S::store(z + n * ld, out); });
            });
            T* z = a.h.data() + size_t(start[p]) * N;
            for (const Wide& w : wide[l]) {
                const Hidden& s = hidden[w.source];
                for (int q = 0; q < panels; ++q) {
                    turn(at(w, q, p), width(q), width(p));
                    const bool last = q == panels - 1;
                    const T* ahead = at(w, last ? 0 : q + 1, last ? std::min(p + 1, panels - 1) : p);
                    product(p, width(q), s.h.data() + size_t(start[q]) * N,
                            s.active.data() + q * groups, block.data(), z, ahead);
                }
            }
            const int ld = width(p);
            std::fill_n(a.active.begin() + p * groups, groups, 0);
            for (int n = 0; n < N; ++n)
                for (int k = 0; k < ld; k += lanes) {
                    V h = S::max(zero, S::load(z + n * ld + k));
                    S::store(z + n * ld + k, h);
                    a.active[p * groups + n / group] |= (skip ? S::nonzero(h) : every) << k;
                }
        }
    }

    // The block of a matrix with the columns of panel q and the rows of panel p.
    const T* at(const Wide& w, int q, int p) const {
        return w.M.p + size_t(start[q]) * full_K + start[p] * width(q);
    }

    // block[k][j] = M[j][k] for a block of a matrix
    void turn(const T* M, int columns, int height) {
        for (int k = 0; k < columns; k += lanes)
            for (int j = 0; j < height; j += lanes) {
                V row[lanes];
#pragma GCC unroll 16
                for (int i = 0; i < lanes; ++i) row[i] = S::load(M + (j + i) * columns + k);
                transpose<T>(row);
#pragma GCC unroll 16
                for (int i = 0; i < lanes; ++i) S::store(block.data() + (k + i) * height + j, row[i]);
            }
    }

    // out[n][j] += sum over the k in the masks of in[n][k] M[k][j], for the j of panel p; meanwhile
    // the block that comes next is fetched from memory.
    void product(int p, int ld, const T* in, const uint64_t* masks, const T* M, T* out,
                 const T* ahead) {
        switch (width(p) / lanes) {
            case 1: return product<1>(ld, in, masks, M, out, ahead);
            case 2: return product<2>(ld, in, masks, M, out, ahead);
            case 3: return product<3>(ld, in, masks, M, out, ahead);
            default: return product<widest>(ld, in, masks, M, out, ahead);
        }
    }

    template <int J>
    void product(int ld, const T* in, const uint64_t* masks, const T* M, T* out, const T* ahead) {
        const int line = 64 / sizeof(T), share = (ld * J * lanes / line + groups - 1) / groups;
        int n = 0;
        for (; n + group <= N; n += group) {
            for (int i = 0; i < share; ++i, ahead += line)
                __builtin_prefetch(ahead, 0, 2);
            product_block<J, group>(ld, in + n * ld, *masks++, M, out + n * J * lanes);
        }
        for (const uint64_t rest = n < N ? *masks : 0; n < N; ++n)
            product_block<J, 1>(ld, in + n * ld, rest, M, out + n * J * lanes);
    }

    template <int J, int U>
    INLINE void product_block(int ld, const T* in, uint64_t mask, const T* M, T* out) {
        V sum[U][J];
#pragma GCC unroll 16
        for (int i = 0; i < U * J; ++i) sum[i / J][i % J] = S::load(out + i * lanes);
        for (; mask; mask &= mask - 1) {
            const int k = __builtin_ctzll(mask);
            V row[J];
#pragma GCC unroll 4
            for (int j = 0; j < J; ++j) row[j] = S::load(M + (k * J + j) * lanes);
#pragma GCC unroll 4
            for (int u = 0; u < U; ++u)
#pragma GCC unroll 4
                for (int j = 0; j < J; ++j) sum[u][j] = S::fma(S::all(in[u * ld + k]), row[j], sum[u][j]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < U * J; ++i) S::store(out + i * lanes, sum[i / J][i % J]);
    }

    void output() {
        for (int j = 0; j < ld_out; j += lanes)
            for (int i = 0; i < lanes; ++i) std::fill_n(&flat[(j + i) * full_N], N, c0.p[j + i]);
        if (C_x.p)
            for (int j = 0; j < ld_out; j += lanes)
                contract<T>(
                    N, d_in, X.data(), d_in, C_x.p + j * d_in, scratch.data(),
                    [&](int) { return S::load(c0.p + j); },
                    [&](int n, V out) {
                        T value[lanes];
                        S::store(value, out);
                        for (int i = 0; i < lanes; ++i) flat[(j + i) * full_N + n] = value[i];
                    });
        auto add = [&](int l, const T* M) {
            each_tile([&](size_t at, int ld, int t) {
                spread_thin<T>(N, hidden[l].h.data() + at, ld, M + t * d_out * lanes, d_out,
                               flat.data(), full_N);
            });
        };
        add(L - 1, out_V.p);
        if (out_C.p) add(L - 2, out_C.p);
    }

    void backward_output(const Adam<T>& adam) {
        auto through = [&](int l, Parameter<T> M, int decay) {
            each_tile([&](size_t at, int ld, int t) {
                Parameter<T> m = M.at(t * d_out * lanes);
                T* dh = hidden[l].dh.data() + at;
                V norm = S::all(0);
                for (int j = 0; j < d_out; ++j) norm = S::add(norm, S::abs(S::load(m.p + j * lanes)));
                contract<T>(
                    N, d_out, G.data(), ld_out, m.p, scratch.data(), [&](int) { return S::all(0); },
                    [&](int n, V g) { S::store(dh + n * ld, g); });
                correlate<T>(N, d_out, G.data(), ld_out, hidden[l].h.data() + at, ld,
                             [&](int j, V g) { adam(m.at(j * lanes), g, decay, norm); });
            });
        };
        through(L - 1, out_V, decay_V);
        if (out_C.p) through(L - 2, out_C, decay_C);
        for (int j = 0; j < ld_out; j += lanes) {
            if (C_x.p)
                correlate<T>(N, d_in, X.data(), d_in, &G[j], ld_out, [&](int i, V g) {
                    adam(C_x.at(j * d_in + i * lanes), g, decay_C);
                });
            adam(c0.at(j), column_sum<T>(N, &G[j], ld_out), decay_b);
        }
    }

    void backward(int l, const Adam<T>& adam) {
        Hidden& a = hidden[l];
        const V zero = S::all(0);
        for (int p = 0; p < panels; ++p) {
            const int ld = width(p);
            T *h = a.h.data() + size_t(start[p]) * N, *z = a.dh.data() + size_t(start[p]) * N;
            std::fill_n(a.felt.begin() + p * groups, groups, 0);
            for (int n = 0; n < N; ++n)
                for (int k = 0; k < ld; k += lanes) {
                    V g = S::where_positive(S::load(h + n * ld + k), S::load(z + n * ld + k));
                    S::store(z + n * ld + k, g);
                    a.felt[p * groups + n / group] |= (skip ? S::nonzero(g) : every) << k;
                }
            each_tile(p, [&](size_t at, int ld, int t) {
                const T* z = a.dh.data() + at;
                if (from_x[l].p)
                    correlate<T>(N, d_in, X.data(), d_in, z, ld, [&](int i, V g) {
                        adam(from_x[l].at((t * d_in + i) * lanes), g, l ? decay_C : decay_W);
                    });
                adam(a.b.at(t * lanes), S::sub(zero, column_sum<T>(N, z, ld)), decay_b);
                if (l > 0) list_samples(z, ld, t * lanes);
            });
        }
        for (const Wide& w : wide[l]) {
            Hidden& s = hidden[w.source];
            for (int p = 0; p < panels; ++p) {
                Parameter<T> M = w.M.at(size_t(start[p]) * full_K);
                for (int q = 0; q < panels; ++q)
                    product(p, width(q), a.dh.data() + size_t(start[q]) * N,
                            a.felt.data() + q * groups, at(w, p, q),
                            s.dh.data() + size_t(start[p]) * N, at(w, p, std::min(q + 1, panels - 1)));
                const T* h = s.h.data() + size_t(start[p]) * N;
                switch (width(p) / lanes) {
                    case 1: step<1>(M, h, w.decay, adam); break;
                    case 2: step<2>(M, h, w.decay, adam); break;
                    case 3: step<3>(M, h, w.decay, adam); break;
                    default: step<widest>(M, h, w.decay, adam);
                }
            }
        }
    }

    // Lists, for the neurons of a tile, the samples where the derivative is not zero, and its values.
    void list_samples(const T* z, int ld, int k) {
        std::fill_n(&count[k], lanes, 0);
        for (int n = 0; n < N; n += lanes) {
            T column[lanes][lanes];
            V row[lanes];
            for (int i = 0; i < lanes; ++i) row[i] = n + i < N ? S::load(z + (n + i) * ld) : S::all(0);
            transpose<T>(row);
            for (int i = 0; i < lanes; ++i) S::store(column[i], row[i]);
            for (int i = 0; i < lanes; ++i) {
                T* values = &turned[size_t(k + i) * full_N];
                int *where = &samples[size_t(k + i) * full_N], c = count[k + i];
                for (int u = 0; u < lanes; ++u) {
                    values[c] = column[i][u], where[c] = n + u;
                    c += n + u < N && (!skip || column[i][u] != 0);
                }
                count[k + i] = c;
            }
        }
    }

    // The gradient by one panel of a matrix, row by row, and Adam's step.
    template <int J>
    void step(Parameter<T> M, const T* h, int decay, const Adam<T>& adam) {
        V norm[J];
        for (int i = 0; i < J; ++i) norm[i] = S::all(0);
        if (decay & SUM)
            for (int k = 0; k < full_K * J; ++k)
                norm[k % J] = S::add(norm[k % J], S::abs(S::load(M.p + k * lanes)));
        for (int k = 0; k < full_K; ++k) {
            fetch<J>(M, std::min(k + 8, full_K - 1));
            V g[J];
#pragma GCC unroll 4
            for (int i = 0; i < J; ++i) g[i] = S::all(0);
            const T* values = &turned[size_t(k) * full_N];
            const int* where = &samples[size_t(k) * full_N];
#pragma GCC unroll 2
            for (int c = 0; c < count[k]; ++c) {
                V x = S::all(values[c]);
                const T* row = h + size_t(where[c]) * (J * lanes);
#pragma GCC unroll 4
                for (int i = 0; i < J; ++i) g[i] = S::fma(x, S::load(row + i * lanes), g[i]);
            }
            const Parameter<T> row = M.at(size_t(k) * J * lanes);
            if (skip && decay == NONE && !count[k] && still<J>(row, adam)) continue;
#pragma GCC unroll 4
            for (int i = 0; i < J; ++i) adam(row.at(i * lanes), g[i], decay, norm[i]);
        }
    }

    // Whether a row without a gradient does not move any more; then only its second moment decays.
    template <int J>
    bool still(Parameter<T> row, const Adam<T>& adam) {
        uint64_t moving = 0;
        for (int i = 0; i < J; ++i) moving |= S::nonzero(S::load(row.m + i * lanes));
        if (moving) return false;
        for (int i = 0; i < J; ++i)
            S::store(row.v + i * lanes, S::mul(S::all(adam.keep2), S::load(row.v + i * lanes)));
        return true;
    }

    // Brings a row that will be needed soon near.
    template <int J>
    void fetch(Parameter<T> M, int k) {
        for (const T* p : {M.p, M.m, M.v}) {
            auto row = reinterpret_cast<const char*>(p + size_t(k) * J * lanes);
            for (size_t i = 0; i < J * lanes * sizeof(T); i += 64) __builtin_prefetch(row + i, 0, 3);
        }
    }
};

}  // namespace
