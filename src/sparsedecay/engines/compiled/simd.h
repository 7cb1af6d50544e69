// One vector register of floats or doubles, for AVX-512, AVX2, and any other processor alike.
//
// All give the same bits: every sum in this engine runs over neurons or samples in their order,
// one fused multiply-add each, so its value does not depend on how many lanes a register has.
#pragma once
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#define INLINE static inline __attribute__((always_inline))

namespace {

template <class T>
struct Simd;

#ifdef __AVX512F__
constexpr int REGISTERS = 32;

template <>
struct Simd<float> {
    using V = __m512;
    static constexpr int lanes = 16;
    INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
    INLINE void store(float* p, V a) { _mm512_storeu_ps(p, a); }
    INLINE V all(float a) { return _mm512_set1_ps(a); }
    INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
    INLINE V add(V a, V b) { return _mm512_add_ps(a, b); }
    INLINE V sub(V a, V b) { return _mm512_sub_ps(a, b); }
    INLINE V mul(V a, V b) { return _mm512_mul_ps(a, b); }
    INLINE V div(V a, V b) { return _mm512_div_ps(a, b); }
    INLINE V sqrt(V a) { return _mm512_sqrt_ps(a); }
    INLINE V abs(V a) { return _mm512_abs_ps(a); }
    INLINE V max(V a, V b) { return _mm512_max_ps(a, b); }
    // bit i is set where lane i is not 0
    INLINE uint64_t nonzero(V a) { return _mm512_cmp_ps_mask(a, all(0), _CMP_NEQ_UQ); }
    // x where a > 0, else 0
    INLINE V where_positive(V a, V x) {
        return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, all(0), _CMP_GT_OQ), x);
    }
    // sign(a) x for x >= 0, with sign(0) = 0
    INLINE V signed_as(V a, V x) {
        V bits = _mm512_castsi512_ps(_mm512_or_epi32(
            _mm512_castps_si512(x),
            _mm512_and_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(int(0x80000000)))));
        return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, all(0), _CMP_NEQ_UQ), bits);
    }
    // in each 16 bytes a0 b0 a1 b1 …, of their first and second half
    INLINE void zip(V a, V b, V& low, V& high) {
        low = _mm512_unpacklo_ps(a, b), high = _mm512_unpackhi_ps(a, b);
    }
    // every other 16 bytes of a, then of b, from the first or the second on
    INLINE void deal(V a, V b, V& even, V& odd) {
        even = _mm512_shuffle_f32x4(a, b, 0x88), odd = _mm512_shuffle_f32x4(a, b, 0xdd);
    }
};

template <>
struct Simd<double> {
    using V = __m512d;
    static constexpr int lanes = 8;
    INLINE V load(const double* p) { return _mm512_loadu_pd(p); }
    INLINE void store(double* p, V a) { _mm512_storeu_pd(p, a); }
    INLINE V all(double a) { return _mm512_set1_pd(a); }
    INLINE V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
    INLINE V add(V a, V b) { return _mm512_add_pd(a, b); }
    INLINE V sub(V a, V b) { return _mm512_sub_pd(a, b); }
    INLINE V mul(V a, V b) { return _mm512_mul_pd(a, b); }
    INLINE V div(V a, V b) { return _mm512_div_pd(a, b); }
    INLINE V sqrt(V a) { return _mm512_sqrt_pd(a); }
    INLINE V abs(V a) { return _mm512_abs_pd(a); }
    INLINE V max(V a, V b) { return _mm512_max_pd(a, b); }
    INLINE uint64_t nonzero(V a) { return _mm512_cmp_pd_mask(a, all(0), _CMP_NEQ_UQ); }
    INLINE V where_positive(V a, V x) {
        return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, all(0), _CMP_GT_OQ), x);
    }
    INLINE V signed_as(V a, V x) {
        V bits = _mm512_castsi512_pd(_mm512_or_epi64(
            _mm512_castpd_si512(x),
            _mm512_and_epi64(_mm512_castpd_si512(a), _mm512_set1_epi64(INT64_MIN))));
        return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, all(0), _CMP_NEQ_UQ), bits);
    }
    INLINE void zip(V a, V b, V& low, V& high) {
        low = _mm512_unpacklo_pd(a, b), high = _mm512_unpackhi_pd(a, b);
    }
    INLINE void deal(V a, V b, V& even, V& odd) {
        even = _mm512_shuffle_f64x2(a, b, 0x88), odd = _mm512_shuffle_f64x2(a, b, 0xdd);
    }
};

#elif defined(__AVX2__)
constexpr int REGISTERS = 16;

template <>
struct Simd<float> {
    using V = __m256;
    static constexpr int lanes = 8;
    INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
    INLINE void store(float* p, V a) { _mm256_storeu_ps(p, a); }
    INLINE V all(float a) { return _mm256_set1_ps(a); }
    INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
    INLINE V add(V a, V b) { return _mm256_add_ps(a, b); }
    INLINE V sub(V a, V b) { return _mm256_sub_ps(a, b); }
    INLINE V mul(V a, V b) { return _mm256_mul_ps(a, b); }
    INLINE V div(V a, V b) { return _mm256_div_ps(a, b); }
    INLINE V sqrt(V a) { return _mm256_sqrt_ps(a); }
    INLINE V abs(V a) { return _mm256_andnot_ps(all(-0.0f), a); }
    INLINE V max(V a, V b) { return _mm256_max_ps(a, b); }
    INLINE uint64_t nonzero(V a) {
        return uint64_t(_mm256_movemask_ps(_mm256_cmp_ps(a, all(0), _CMP_NEQ_UQ)));
    }
    INLINE V where_positive(V a, V x) {
        return _mm256_and_ps(_mm256_cmp_ps(a, all(0), _CMP_GT_OQ), x);
    }
    INLINE V signed_as(V a, V x) {
        V bits = _mm256_or_ps(x, _mm256_and_ps(a, all(-0.0f)));
        return _mm256_and_ps(_mm256_cmp_ps(a, all(0), _CMP_NEQ_UQ), bits);
    }
    INLINE void zip(V a, V b, V& low, V& high) {
        low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
    }
    INLINE void deal(V a, V b, V& even, V& odd) {
        even = _mm256_permute2f128_ps(a, b, 0x20), odd = _mm256_permute2f128_ps(a, b, 0x31);
    }
};

template <>
struct Simd<double> {
    using V = __m256d;
    static constexpr int lanes = 4;
    INLINE V load(const double* p) { return _mm256_loadu_pd(p); }
    INLINE void store(double* p, V a) { _mm256_storeu_pd(p, a); }
    INLINE V all(double a) { return _mm256_set1_pd(a); }
    INLINE V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
    INLINE V add(V a, V b) { return _mm256_add_pd(a, b); }
    INLINE V sub(V a, V b) { return _mm256_sub_pd(a, b); }
    INLINE V mul(V a, V b) { return _mm256_mul_pd(a, b); }
    INLINE V div(V a, V b) { return _mm256_div_pd(a, b); }
    INLINE V sqrt(V a) { return _mm256_sqrt_pd(a); }
    INLINE V abs(V a) { return _mm256_andnot_pd(all(-0.0), a); }
    INLINE V max(V a, V b) { return _mm256_max_pd(a, b); }
    INLINE uint64_t nonzero(V a) {
        return uint64_t(_mm256_movemask_pd(_mm256_cmp_pd(a, all(0), _CMP_NEQ_UQ)));
    }
    INLINE V where_positive(V a, V x) {
        return _mm256_and_pd(_mm256_cmp_pd(a, all(0), _CMP_GT_OQ), x);
    }
    INLINE V signed_as(V a, V x) {
        V bits = _mm256_or_pd(x, _mm256_and_pd(a, all(-0.0)));
        return _mm256_and_pd(_mm256_cmp_pd(a, all(0), _CMP_NEQ_UQ), bits);
    }
    INLINE void zip(V a, V b, V& low, V& high) {
        low = _mm256_unpacklo_pd(a, b), high = _mm256_unpackhi_pd(a, b);
    }
    INLINE void deal(V a, V b, V& even, V& odd) {
        even = _mm256_permute2f128_pd(a, b, 0x20), odd = _mm256_permute2f128_pd(a, b, 0x31);
    }
};

#else
// Through the vectors of GCC and Clang, 16 bytes wide as NEON's. What these have no operator for goes
// lane by lane, or by NEON's own instruction.
#ifdef __aarch64__
constexpr int REGISTERS = 32;
#else
constexpr int REGISTERS = 16;
#endif

template <class T, class Bits>
struct Portable {
    typedef T V __attribute__((vector_size(16)));
    typedef Bits B __attribute__((vector_size(16)));
    static constexpr int lanes = 16 / sizeof(T);
    static constexpr Bits sign = Bits(1) << (8 * sizeof(T) - 1);

    INLINE V load(const T* p) {
        V a;
        std::memcpy(&a, p, sizeof a);
        return a;
    }
    INLINE void store(T* p, V a) { std::memcpy(p, &a, sizeof a); }
    INLINE V all(T a) { return a - V{}; }  // keeps the sign of 0
    INLINE V add(V a, V b) { return a + b; }
    INLINE V sub(V a, V b) { return a - b; }
    INLINE V mul(V a, V b) { return a * b; }
    INLINE V div(V a, V b) { return a / b; }
    INLINE V fma(V a, V b, V c) {
        for (int i = 0; i < lanes; ++i) c[i] = std::fma(a[i], b[i], c[i]);
        return c;
    }
    INLINE V sqrt(V a) {
        for (int i = 0; i < lanes; ++i) a[i] = std::sqrt(a[i]);
        return a;
    }
    INLINE V abs(V a) { return V(B(a) & ~(B{} + sign)); }
    INLINE V max(V a, V b) { return V((B(a > b) & B(a)) | (~B(a > b) & B(b))); }
    INLINE uint64_t nonzero(V a) {
        uint64_t mask = 0;
        for (int i = 0; i < lanes; ++i) mask |= uint64_t(a[i] != 0) << i;
        return mask;
    }
    INLINE V where_positive(V a, V x) { return V(B(a > V{}) & B(x)); }
    INLINE V signed_as(V a, V x) { return V(B(a != V{}) & (B(x) | (B(a) & (B{} + sign)))); }
    INLINE void zip(V a, V b, V& low, V& high) {
        for (int i = 0; i < lanes; ++i) {
            low[i] = i % 2 ? b[i / 2] : a[i / 2];
            high[i] = i % 2 ? b[lanes / 2 + i / 2] : a[lanes / 2 + i / 2];
        }
    }
};

template <>
struct Simd<float> : Portable<float, uint32_t> {
#ifdef __aarch64__
    INLINE V fma(V a, V b, V c) { return V(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b))); }
    INLINE V sqrt(V a) { return V(vsqrtq_f32(float32x4_t(a))); }
#endif
};

template <>
struct Simd<double> : Portable<double, uint64_t> {
#ifdef __aarch64__
    INLINE V fma(V a, V b, V c) { return V(vfmaq_f64(float64x2_t(c), float64x2_t(a), float64x2_t(b))); }
    INLINE V sqrt(V a) { return V(vsqrtq_f64(float64x2_t(a))); }
#endif
};
#endif

// Flushes denormals while it lives: weights that decay would make an epoch eight times slower.
class Flush {
#if defined(__AVX2__)
    const unsigned before = _mm_getcsr();

public:
    Flush() { _mm_setcsr(before | 0x8040); }
    ~Flush() { _mm_setcsr(before); }
#elif defined(__aarch64__)
    uint64_t before;
    static void set(uint64_t control) { asm volatile("msr fpcr, %0" : : "r"(control)); }

public:
    Flush() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        set(before | 1u << 24);
    }
    ~Flush() { set(before); }
#else
public:
    Flush() {}
#endif
};

// Rows become columns, in place: first within each 16 bytes, where a round interleaves the first half
// of some rows with the second, then 16 bytes as a whole, where a round takes them apart.
template <class T>
INLINE void transpose(typename Simd<T>::V* row) {
    using S = Simd<T>;
    constexpr int n = S::lanes, some = 16 / sizeof(T), half = some / 2;
    typename S::V other[n];
    auto take = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i) row[i] = other[i];
    };
#pragma GCC unroll 2
    for (int step = 1; step < some; step *= 2, take())
#pragma GCC unroll 8
        for (int k = 0; k < n / 2; ++k) {
            const int i = k / half * some + k % half, to = k / half * some + k % half * 2;
            S::zip(row[i], row[i + half], other[to], other[to + 1]);
        }
    if constexpr (n > some)
#pragma GCC unroll 2
        for (int step = some; step < n; step *= 2, take())
#pragma GCC unroll 8
            for (int k = 0; k < n / 2; ++k) {
                const int i = k / some * 2 * some + k % some;
                S::deal(row[i], row[i + some], other[k], other[k + n / 2]);
            }
}

// Memory of which no register's worth lies in two lines of the cache.
template <class T>
struct Aligned {
    using value_type = T;
    static constexpr std::align_val_t line{64};

    Aligned() = default;
    template <class U>
    Aligned(const Aligned<U>&) {}
    T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
    void deallocate(T* p, size_t) { ::operator delete(p, line); }
    template <class U>
    bool operator==(const Aligned<U>&) const { return true; }
    template <class U>
    bool operator!=(const Aligned<U>&) const { return false; }
};
template <class T>
using Values = std::vector<T, Aligned<T>>;

}  // namespace
