// Python's view of the engine: one extension module for each instruction set.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>

#include "dense.h"
#include "representer.h"

namespace py = pybind11;

namespace {

// without conversion, so that training writes into the arrays of the caller
template <class T>
using Array = py::array_t<T, py::array::c_style>;
template <class T>
using Arrays = std::vector<std::vector<Array<T>>>;

template <class T, template <class> class Network>
class Trainer {
    Arrays<T> arrays;  // kept alive
    Network<T> network;
    double learning_rate, eps, lam;
    std::array<double, 2> betas;
    py::ssize_t samples;

    static std::vector<Parameter<T>> parameters(Arrays<T>& arrays) {
        std::vector<Parameter<T>> found;
        for (auto& a : arrays) {
            for (auto& array : a)
                if (!(array.flags() & py::array::c_style)) throw py::value_error("not contiguous");
            found.push_back({a.at(0).mutable_data(), a.at(1).mutable_data(), a.at(2).mutable_data()});
        }
        return found;
    }

public:
    Trainer(Array<T> X, Array<T> y, Arrays<T> given, int L, int K, int d, int skips,
            std::array<int, 4> decay, bool mean, double lam, double learning_rate,
            std::array<double, 2> betas, double eps, int64_t rest_every)
        : arrays(given),
          network(int(X.shape(0)), int(X.shape(1)), int(y.shape(1)), L, K, d, X.data(), y.data(),
                  parameters(arrays),
                  Objective{decay[0], decay[1], decay[2], decay[3], mean}, rest_every,
                  Skips(skips)),
          learning_rate(learning_rate), eps(eps), lam(lam), betas(betas), samples(X.shape(0)) {}

    // So many steps on the samples at hand; `done` steps went before.
    void advance(int64_t steps, int64_t done) {
        py::gil_scoped_release release;
        Flush flush;
        network.advance(steps, [&](int64_t step) {
            return Adam<T>(learning_rate, betas, eps, lam, double(done + step + 1));
        });
    }

    void take(Array<T> X, Array<T> y) {
        if (X.shape(0) != samples || y.shape(0) != samples) throw py::value_error("other size");
        network.take(X.data(), y.data());
    }

    double error() {
        Flush flush;
        return network.error();
    }

    std::pair<int64_t, int64_t> rested() const { return network.rested(); }
};

// What this core can do at most: fused multiply-adds on registers alone, two operations each, per
// second.
template <class T>
double multiply_adds() {
    using S = Simd<T>;
    constexpr int chains = 12, loops = 1000000;
    volatile T factor = T(0.999), term = T(0.001);
    const auto x = S::all(factor), y = S::all(term);
    typename S::V sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = S::all(T(i));
    const auto began = std::chrono::steady_clock::now();
    for (int k = 0; k < loops; ++k)
#pragma GCC unroll 16
        for (int i = 0; i < chains; ++i) sum[i] = S::fma(sum[i], x, y);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
    T kept[S::lanes];
    for (int i = 0; i < chains; ++i) S::store(kept, sum[i]), term = kept[0];
    return 2.0 * S::lanes * chains * loops / taken.count();
}

template <class T, template <class> class Network>
void bind(py::module_& m, const char* name) {
    using A = Trainer<T, Network>;
    py::class_<A>(m, name, py::module_local())
        .def(py::init<Array<T>, Array<T>, Arrays<T>, int, int, int, int, std::array<int, 4>, bool,
                      double, double, std::array<double, 2>, double, int64_t>(),
             py::kw_only(), py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("parameters").noconvert(), py::arg("L"), py::arg("K"), py::arg("d"),
             py::arg("skips"), py::arg("decay"), py::arg("mean"), py::arg("lam"), py::arg("learning_rate"),
             py::arg("betas"), py::arg("eps"), py::arg("rest_every"))
        .def("advance", &A::advance)
        .def("take", &A::take, py::arg("X").noconvert(), py::arg("y").noconvert())
        .def("error", &A::error)
        .def("rested", &A::rested);
}

}  // namespace

PYBIND11_MODULE(MODULE, m) {
    m.attr("SOURCES") = SOURCES;
    m.attr("lanes") =
        py::dict(py::arg("float32") = Simd<float>::lanes, py::arg("float64") = Simd<double>::lanes);
    m.attr("multiply_adds") = py::dict(py::arg("float32") = py::cpp_function(multiply_adds<float>),
                                       py::arg("float64") = py::cpp_function(multiply_adds<double>));
    m.attr("widest") = Dense<float>::widest;
    bind<float, Representer>(m, "Representer_float32");
    bind<double, Representer>(m, "Representer_float64");
    bind<float, Dense>(m, "Dense_float32");
    bind<double, Dense>(m, "Dense_float64");
}
