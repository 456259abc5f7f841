/* The element-wise half of a gated recurrent block, in float32 and with activations in bfloat16. */

#include <math.h>

#include "vectors.h"

#define EPSILON 1e-6f

typedef uint16_t half_vec __attribute__((vector_size(LANES * 2)));
typedef uint16_t half_anywhere __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef uint32_t uvec __attribute__((vector_size(LANES * 4)));

/* bfloat16 is the upper half of a float32. */
INLINE vec load_half(const uint16_t *from, int64_t count) {
    half_vec upper = {0};
    if (count >= LANES) {
        upper = *(const half_anywhere *)from;
    } else {
        memcpy(&upper, from, (size_t)count * sizeof(uint16_t));
    }
    return (vec)(__builtin_convertvector(upper, uvec) << 16);
}

/* Rounded to the nearest, half-way cases to even. A NaN stays one. */
INLINE void store_half(uint16_t *to, vec x, int64_t count) {
    uvec bits = (uvec)choose(x == x, x, splat(__builtin_nanf("")));
    bits += 0x7fff + ((bits >> 16) & 1);
    half_vec upper = __builtin_convertvector(bits >> 16, half_vec);
    if (count >= LANES) {
        *(half_anywhere *)to = upper;
    } else {
        memcpy(to, &upper, (size_t)count * sizeof(uint16_t));
    }
}

/* Which numbers are dropped depends on their places alone, so that nothing needs to be remembered for the way back. The
   hash mixes by two multiplications and three shifts; the constants are C. Wellons's, "Prospecting for hash functions"
   (2018), found by search for the least bias. */
INLINE vec dropped(vec x, int64_t at, uint32_t seed, uint32_t limit, float scale) {
    uvec hash;
    for (int lane = 0; lane < LANES; lane++) hash[lane] = (uint32_t)lane;
    hash += (uint32_t)at;
    hash ^= seed;
    hash ^= hash >> 16;
    hash *= 0x7feb352dU;
    hash ^= hash >> 15;
    hash *= 0x846ca68bU;
    hash ^= hash >> 16;
    return choose((ivec)(hash < limit), splat(0.0f), x * splat(scale));
}

#define ACTIVATION float
#define NAMED(name) name##_float32
#define LOAD load_some
#define STORE store_some
#include "gated_block.h"
#undef ACTIVATION
#undef NAMED
#undef LOAD
#undef STORE

#define ACTIVATION uint16_t
#define NAMED(name) name##_bfloat16
#define LOAD load_half
#define STORE store_half
#include "gated_block.h"
