/* The element-wise half of a gated recurrent block, in float32 and with activations in bfloat16. */

#include <math.h>

#include "dropping.h"

#define EPSILON 1e-6f

typedef uint16_t half_vec __attribute__((vector_size(LANES * 2)));
typedef uint16_t half_anywhere __attribute__((vector_size(LANES * 2), aligned(2), may_alias));

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
