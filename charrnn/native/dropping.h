/* Dropout without a memory: which numbers are dropped depends on a seed and on their places alone. */

#ifndef CHARRNN_DROPPING_H
#define CHARRNN_DROPPING_H

#include "vectors.h"

typedef uint32_t uvec __attribute__((vector_size(LANES * 4)));

/* Zero where the seed's hash of the place is below `limit`, which is the probability in units of 2^-32, and multiplied by
   `scale` elsewhere; `at` is the first lane's place. The hash mixes by two multiplications and three shifts; the constants
   are C. Wellons's, "Prospecting for hash functions" (2018), found by search for the least bias. */
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

#endif
