// Training of the network of Theorem 1,
//     x^(l) = V^(l) relu(W^(l) x^(l-1) - b^(l)) + C^(l) x^(l-1) + c0^(l),  l = 1 … L.
//
// Neurons go by tiles: all that concerns the neurons of one tile, in all samples, is done while it
// lies in the first cache, Adam included.
//
// Neurons that have been inactive in all samples for a while are put to sleep: they are moved behind
// the others, so that whole tiles need no more than a forward pass (does one wake up?) and Adam's
// step. They contribute exact zeros, and the others stay in their order, so no bit depends on who
// sleeps: a neuron that wakes is put back in its place before anything is added up.
#pragma once
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "products.h"

namespace {

template <class T>
class Representer {
    using S = Simd<T>;
    using V = typename S::V;
    static constexpr int lanes = S::lanes;

    struct Layer {
        int in, out;             // widths of x^(l-1) and x^(l)
        int ld_in, ld_out;       // the same in full registers
        Parameter<T> W, b;       // [tile][in][lane], [tile][lane], lanes over neurons
        Parameter<T> M;          // V: [tile][out][lane], lanes over neurons
        Parameter<T> C, c0;      // [block][in][lane], [block][lane], lanes over outputs
        Values<T> x, G;          // x^(l)[n][ld_out] and the derivative of the error by it
        Values<T> h;             // activations, [tile][n][lane]
        std::vector<uint64_t> alive, lately;  // by tile: active in any sample, now and since a while
        int awake;               // the first so many slots hold neurons that are awake
        std::vector<int> order;  // neuron in each slot
        std::vector<char> asleep, seen;  // by neuron
    };

    const int N, K, tiles;
    Values<T> X, y;  // X[n][ld_in of the first layer], y[n][d_out]
    std::vector<Layer> layers;
    Values<T> dz, flat, moved;  // [n][lane], [output][n], a parameter on the move
    int decay_W, decay_V, decay_C, decay_b;
    T slope;  // derivative of the loss by an output, over its error
    int64_t since_rest = 0, rest_every;  // epochs; 0: nothing is ever left out
    int64_t wakes = 0, all_wakes = 0;    // times since the last rest, and before it

    static int full(int width) { return (width + lanes - 1) / lanes * lanes; }

public:
    Representer(int N, int d_in, int d_out, int L, int K, int d, const T* inputs, const T* targets,
                const std::vector<Parameter<T>>& parameters, Objective objective, int64_t rest_every,
                Skips)
        : N(N), K(K), tiles(full(K) / lanes), y(size_t(N) * d_out), layers(L),
          rest_every(rest_every) {
        for (int l = 0; l < L; ++l) {
            Layer& a = layers[l];
            a.in = l == 0 ? d_in : d, a.out = l == L - 1 ? d_out : d;
            a.ld_in = full(a.in), a.ld_out = full(a.out);
            a.W = parameters[5 * l], a.b = parameters[5 * l + 1], a.M = parameters[5 * l + 2];
            a.C = parameters[5 * l + 3], a.c0 = parameters[5 * l + 4];
            a.x.resize(N * a.ld_out), a.G.resize(N * a.ld_out);
            a.h.resize((size_t(tiles) * N + lanes) * lanes);
            a.alive.resize(tiles), a.lately.resize(tiles);
            a.asleep.resize(tiles * lanes), a.seen.resize(tiles * lanes), a.order.resize(tiles * lanes);
            std::iota(a.order.begin(), a.order.end(), 0), a.awake = tiles * lanes;
        }
        X.resize(N * layers[0].ld_in);
        take(inputs, targets);
        dz.resize((N + lanes) * lanes), flat.resize(lanes * full(N));
        decay_W = objective.W, decay_V = objective.V, decay_C = objective.C;
        decay_b = objective.biases;
        slope = T(2 / objective.terms(N * d_out));
    }

    // Goes on with other samples, as many as before.
    void take(const T* inputs, const T* targets) {
        Layer& a = layers[0];
        for (int n = 0; n < N; ++n)
            for (int i = 0; i < a.in; ++i) X[n * a.ld_in + i] = inputs[n * a.in + i];
        std::copy_n(targets, y.size(), y.begin());
    }

    // Neurons that are left out at present, and how often some had to be taken in again.
    std::pair<int64_t, int64_t> rested() const {
        int64_t asleep = 0;
        for (auto& a : layers) asleep += std::count_if(a.order.begin(), a.order.end(), [&](int k) { return k < K && a.asleep[k]; });
        return {asleep, all_wakes + wakes};
    }

    // Mean squared error of the present parameters.
    double error() {
        for (int l = 0; l < int(layers.size()); ++l) forward(l);
        Layer& a = layers.back();
        double sum = 0;
        for (int n = 0; n < N; ++n)
            for (int j = 0; j < a.out; ++j) {
                T r = a.x[n * a.ld_out + j] - y[n * a.out + j];
                a.G[n * a.ld_out + j] = r * slope;
                sum += double(r) * double(r);
            }
        return sum / (N * a.out);
    }

    void advance(int64_t epochs, const std::function<Adam<T>(int64_t)>& adam) {
        for (auto& a : layers) arrange(a, a.asleep);
        for (int64_t epoch = 0; epoch < epochs; ++epoch) {
            error();
            const Adam<T> step = adam(epoch);
            for (int l = int(layers.size()) - 1; l >= 0; --l) backward(l, step);
            if (rest_every && ++since_rest >= rest_every) rest();
        }
        for (auto& a : layers) arrange(a, std::vector<char>(a.order.size()));
    }

private:
    const T* input(int l) const { return l ? layers[l - 1].x.data() : X.data(); }

    void forward(int l) {
        Layer& a = layers[l];
        const T* in = input(l);
        T* x = a.x.data();
        for (int j = 0; j < a.ld_out; j += lanes) {
            V c0 = S::load(a.c0.p + j);
            contract<T>(
                N, a.in, in, a.ld_in, a.C.p + j * a.in, dz.data(), [&](int) { return c0; },
                [&](int n, V out) { S::store(x + n * a.ld_out + j, out); });
        }
        const bool thin = 4 * a.out <= lanes;
        if (thin)
            for (int j = 0; j < a.out; ++j)
                for (int n = 0; n < N; ++n) flat[j * full(N) + n] = x[n * a.ld_out + j];
        while (wake(a, in)) arrange(a, a.asleep), ++wakes;
        for (int t = 0; t * lanes < a.awake; ++t) {
            T* h = a.h.data() + size_t(t) * N * lanes;
            if ((t + 1) * lanes <= a.awake) a.alive[t] = activate(a, in, t, h);
            if (!a.alive[t]) continue;
            a.lately[t] |= a.alive[t];
            const T* M = a.M.p + t * a.out * lanes;
            if (thin)
                spread_thin<T>(N, h, lanes, M, a.out, flat.data(), full(N));
            else
                spread<T>(N, a.alive[t], h, lanes, M, a.out, x, a.ld_out);
        }
        if (thin)
            for (int j = 0; j < a.out; ++j)
                for (int n = 0; n < N; ++n) x[n * a.ld_out + j] = flat[j * full(N) + n];
    }

    // h = relu(W x - b) for the neurons of a tile; returns which of them are active in any sample
    uint64_t activate(const Layer& a, const T* in, int t, T* h) {
        const V zero = S::all(0), minus_b = S::sub(zero, S::load(a.b.p + t * lanes));
        V most = zero;
        contract<T>(
            N, a.in, in, a.ld_in, a.W.p + t * a.in * lanes, h, [&](int) { return minus_b; },
            [&](int n, V z) {
                V active = S::max(zero, z);
                most = S::max(most, active);
                S::store(h + n * lanes, active);
            });
        return rest_every ? S::nonzero(most) : (uint64_t(1) << lanes) - 1;
    }

    // Looks whether sleeping neurons have become active, and marks them.
    bool wake(Layer& a, const T* in) {
        bool woken = false;
        for (int t = a.awake / lanes; t < tiles; ++t) {
            T* h = a.h.data() + size_t(t) * N * lanes;
            a.alive[t] = activate(a, in, t, t * lanes < a.awake ? h : dz.data());
            for (uint64_t left = a.alive[t]; left; left &= left - 1) {
                const int slot = t * lanes + __builtin_ctzll(left);
                if (slot >= a.awake) a.asleep[a.order[slot]] = 0, woken = true;
            }
        }
        return woken;
    }

    // Puts to sleep what has not been active since the last time, less often where many wake up.
    void rest() {
        for (auto& a : layers) {
            note_seen(a);
            for (int slot = 0; slot < a.awake; ++slot) a.asleep[a.order[slot]] = !a.seen[a.order[slot]];
            arrange(a, a.asleep);
            std::fill(a.seen.begin(), a.seen.end(), 0);
        }
        if (wakes * 50 > since_rest) rest_every *= 2;  // moving them costs about one epoch
        all_wakes += wakes, since_rest = wakes = 0;
    }

    void note_seen(Layer& a) {
        for (int t = 0; t < tiles; ++t) {
            for (uint64_t left = a.lately[t]; left; left &= left - 1)
                a.seen[a.order[t * lanes + __builtin_ctzll(left)]] = 1;
            a.lately[t] = 0;
        }
    }

    // Moves the neurons that shall sleep behind the others; either part stays in its order.
    void arrange(Layer& a, const std::vector<char>& asleep) {
        std::vector<int> order, slot_of(a.order.size());
        for (int part = 0; part < 2; ++part)
            for (int k = 0; k < int(asleep.size()); ++k)
                if (asleep[k] == part) order.push_back(k);
        a.awake = int(std::count(asleep.begin(), asleep.end(), 0));
        if (order == a.order) return;
        note_seen(a);
        for (int slot = 0; slot < int(order.size()); ++slot) slot_of[a.order[slot]] = slot;
        auto move = [&](T* values, int rows) {
            moved.assign(values, values + size_t(tiles) * rows * lanes);
            for (int slot = 0; slot < int(order.size()); ++slot) {
                const int from = slot_of[order[slot]];
                for (int i = 0; i < rows; ++i)
                    values[(slot / lanes * rows + i) * lanes + slot % lanes] =
                        moved[(from / lanes * rows + i) * lanes + from % lanes];
            }
        };
        for (auto [parameter, rows] : {std::pair{a.W, a.in}, {a.b, 1}, {a.M, a.out}})
            move(parameter.p, rows), move(parameter.m, rows), move(parameter.v, rows);
        a.order = order;
    }

    void backward(int l, const Adam<T>& adam) {
        Layer& a = layers[l];
        const T *in = input(l), *G = a.G.data();
        T *before = l ? layers[l - 1].G.data() : nullptr, *z = dz.data();
        const V zero = S::all(0);
        if (before) std::fill_n(before, N * a.ld_in, T(0));
        for (int j = 0; j < a.ld_out; j += lanes) {
            Parameter<T> C = a.C.at(j * a.in);
            uint64_t outputs = (uint64_t(1) << std::min(lanes, a.out - j)) - 1;
            if (before) spread<T>(N, outputs, G + j, a.ld_out, C.p, a.in, before, a.ld_in);
            correlate<T>(N, a.in, in, a.ld_in, G + j, a.ld_out, [&](int i, V g) {
                adam(C.at(i * lanes), g, decay_C);
            });
            adam(a.c0.at(j), column_sum<T>(N, G + j, a.ld_out), decay_b);
        }
        for (int t = 0; t < tiles; ++t) {
            Parameter<T> W = a.W.at(t * a.in * lanes), M = a.M.at(t * a.out * lanes);
            V norm_V = zero, norm_W = zero;
            if (decay_V & (SUM | PATH))
                for (int j = 0; j < a.out; ++j) norm_V = S::add(norm_V, S::abs(S::load(M.p + j * lanes)));
            if (decay_W & SUM)
                for (int i = 0; i < a.in; ++i) norm_W = S::add(norm_W, S::abs(S::load(W.p + i * lanes)));
            int of_V = decay_V, of_W = decay_W;
            if (decay_V & PATH) {  // the derivatives of ||v||_1 ||w||_2
                V w = zero;
                for (int i = 0; i < a.in; ++i) {
                    const V x = S::load(W.p + i * lanes);
                    w = S::fma(x, x, w);
                }
                w = S::sqrt(w);
                norm_W = S::where_positive(w, S::div(norm_V, w)), norm_V = w;
                of_V = SIGN, of_W = SCALE;
            }
            auto step_V = [&](int j, V g) { adam(M.at(j * lanes), g, of_V, norm_V); };
            auto step_W = [&](int i, V g) { adam(W.at(i * lanes), g, of_W, norm_W); };
            V db = zero;
            if (t * lanes < a.awake && a.alive[t]) {
                const T* h = a.h.data() + size_t(t) * N * lanes;
                contract<T>(
                    N, a.out, G, a.ld_out, M.p, z, [&](int) { return zero; },
                    [&](int n, V g) {
                        S::store(z + n * lanes, S::where_positive(S::load(h + n * lanes), g));
                    });
                correlate<T>(N, a.out, G, a.ld_out, h, lanes, step_V);
                if (before) spread<T>(N, a.alive[t], z, lanes, W.p, a.in, before, a.ld_in);
                db = S::sub(zero, correlate<T, true>(N, a.in, in, a.ld_in, z, lanes, step_W));
            } else {
                for (int j = 0; j < a.out; ++j) step_V(j, zero);
                for (int i = 0; i < a.in; ++i) step_W(i, zero);
            }
            adam(a.b.at(t * lanes), db, decay_b);
        }
    }
};

}  // namespace
