/* Rows of an embedding, by symbol. */

#include "vectors.h"

/* x (rows, units) = table (symbols, units) at ids (rows). -1 says that an id is none of the symbols. */
KERNEL int64_t embed(const int64_t *ids, const float *table, float *x, int64_t rows, int64_t units, int64_t symbols) {
    for (int64_t row = 0; row < rows; row++) {
        if (ids[row] < 0 || ids[row] >= symbols) return -1;
        memcpy(x + row * units, table + ids[row] * units, (size_t)units * sizeof(float));
    }
    return 0;
}

/* Backward of that: of_table is added to. */
KERNEL void embed_backward(const int64_t *ids, const float *of_x, float *of_table, int64_t rows, int64_t units) {
    for (int64_t row = 0; row < rows; row++) {
        float *restrict to = of_table + ids[row] * units;
        const float *restrict from = of_x + row * units;
        for (int64_t at = 0; at < units; at++) to[at] += from[at];
    }
}
