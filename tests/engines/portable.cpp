// Trains a network by the engine's kernels without Python, to be run on other processors.
//
// stdin: a line `network precision N d_in d_out L K d skips W V C biases mean lam rate beta1 beta2 eps
// rest epochs arrays`, then X, y, and so many arrays of numbers, each after its length (8 bytes), three
// for each parameter: values and both moments. stdout: these arrays as they are then.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "dense.h"
#include "representer.h"

template <class T>
std::vector<T> array(size_t size) {
    std::vector<T> values(size);
    if (std::fread(values.data(), sizeof(T), size, stdin) != size) std::exit(2);
    return values;
}

template <class T, template <class> class Network>
void train(const std::vector<double>& a) {
    const int N = int(a[0]), d_in = int(a[1]), d_out = int(a[2]);
    const auto X = array<T>(size_t(N) * d_in), y = array<T>(size_t(N) * d_out);
    std::deque<std::vector<T>> given;
    std::vector<Parameter<T>> parameters;
    for (int i = 0; i < int(a[19]); ++i) given.push_back(array<T>(array<uint64_t>(1)[0]));
    for (size_t i = 0; i < given.size(); i += 3)
        parameters.push_back({given[i].data(), given[i + 1].data(), given[i + 2].data()});
    Network<T> network(N, d_in, d_out, int(a[3]), int(a[4]), int(a[5]), X.data(), y.data(), parameters,
                       Objective{int(a[7]), int(a[8]), int(a[9]), int(a[10]), a[11] != 0},
                       int64_t(a[17]), Skips(int(a[6])));
    Flush flush;
    network.advance(int64_t(a[18]), [&](int64_t step) {
        return Adam<T>(a[13], {a[14], a[15]}, a[16], a[12], double(step + 1));
    });
    for (auto& values : given) std::fwrite(values.data(), sizeof(T), values.size(), stdout);
}

int main() {
    char network[32], precision[32];
    if (std::scanf("%31s %31s", network, precision) != 2) return 2;
    std::vector<double> a(20);
    for (double& number : a)
        if (std::scanf("%lf", &number) != 1) return 2;
    std::getchar();
    const bool dense = !std::strcmp(network, "dense"), single = !std::strcmp(precision, "float32");
    if (dense) single ? train<float, Dense>(a) : train<double, Dense>(a);
    else single ? train<float, Representer>(a) : train<double, Representer>(a);
}
