/* Vectors of floats as wide as the processor has them, and the functions of a recurrent cell on them.

   GCC's and Clang's vector extensions: the same text becomes AVX-512, AVX2, SSE or NEON. No function here hides a NaN. */

#ifndef CHARRNN_VECTORS_H
#define CHARRNN_VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define KERNEL __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef float vec_anywhere __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vec splat(float x) { return x - (vec){0}; }

INLINE vec load(const float *from) { return *(const vec_anywhere *)from; }

INLINE void store(float *to, vec x) { *(vec_anywhere *)to = x; }

/* The first `count` lanes; what is beyond is zero. */
INLINE vec load_some(const float *from, int64_t count) {
    if (count >= LANES) return load(from);
    float all[LANES] = {0};
    memcpy(all, from, (size_t)count * sizeof(float));
    return load(all);
}

INLINE void store_some(float *to, vec x, int64_t count) {
    if (count >= LANES) {
        store(to, x);
    } else {
        float all[LANES];
        store(all, x);
        memcpy(to, all, (size_t)count * sizeof(float));
    }
}

INLINE vec choose(ivec which, vec yes, vec no) { return (vec)((which & (ivec)yes) | (~which & (ivec)no)); }

#if defined(__AVX512F__)

/* Between -limit and limit; a NaN stays one, for these instructions give their second operand then. */
INLINE vec clamp(vec x, float limit) {
    return (vec)_mm512_max_ps((__m512)splat(-limit), _mm512_min_ps((__m512)splat(limit), (__m512)x));
}

/* p / q for a q of ordinary size (1 to 10^9), to within two roundings: the division instruction takes 16 cycles, which
   is most of a gate. One step of Newton's method squares the estimate's error of 2^-14. */
INLINE vec ratio(vec p, vec q) {
    vec estimate = (vec)_mm512_rcp14_ps((__m512)q);
    vec guess = p * estimate;
    return guess + estimate * (p - q * guess);
}

INLINE float sum(vec x) { return _mm512_reduce_add_ps((__m512)x); }

#else

INLINE vec clamp(vec x, float limit) {
    x = choose(x > splat(limit), splat(limit), x);
    return choose(x < splat(-limit), splat(-limit), x);
}

INLINE vec ratio(vec p, vec q) { return p / q; }

INLINE float sum(vec x) {
    float total = 0;
    for (int lane = 0; lane < LANES; lane++) total += x[lane];
    return total;
}

#endif

/* tanh by a rational function of our own fit (least maximum relative error on [-8, 8], 7e-9 before rounding); absolute
   error in float32 below 4e-7, and below 2e-7 with fused multiply-add. Beyond 8 it is that of 8: 1 - 2e-7. */
INLINE vec tanh_vec(vec x) {
    x = clamp(x, 8.0f);
    vec u = x * x;
    vec p = splat(1.523059955e-08f);
    p = p * u + splat(2.189479278e-05f);
    p = p * u + splat(3.571606051e-03f);
    p = p * u + splat(1.344450479e-01f);
    p = p * u + splat(9.999999936e-01f);
    vec q = splat(8.522520745e-07f);
    q = q * u + splat(3.411305074e-04f);
    q = q * u + splat(2.616447361e-02f);
    q = q * u + splat(4.677783211e-01f);
    q = q * u + splat(1.0f);
    return ratio(x * p, q);
}

/* The logistic function: (1 + tanh(x / 2)) / 2. */
INLINE vec sigmoid_vec(vec x) { return splat(0.5f) + splat(0.5f) * tanh_vec(splat(0.5f) * x); }

/* e to the x, for x of at most 88; below -87 it is 0. Relative error below 3e-7. 2 to the whole part goes into the
   exponent, what is left (at most half of ln 2) into a polynomial of our own fit. */
INLINE vec exp_vec(vec x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number, in the lowest bits */
    vec bounded = choose(x < splat(-87.0f), splat(-87.0f), x);
    vec shifted = bounded * splat(1.44269504f) + splat(magic);
    vec whole = shifted - splat(magic);
    vec r = bounded - whole * splat(0.693359375f);
    r = r + whole * splat(2.12194440e-4f);
    vec p = splat(1.381453885e-03f);
    p = p * r + splat(8.368745228e-03f);
    p = p * r + splat(4.166839081e-02f);
    p = p * r + splat(1.666652040e-01f);
    p = p * r + splat(4.999999343e-01f);
    p = p * r * r + r + splat(1.0f);
    vec scale = (vec)(((ivec)shifted << 23) + (ivec)splat(1.0f));
    return choose(x < splat(-87.0f), splat(0.0f), p * scale);
}

#endif
