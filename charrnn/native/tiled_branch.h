/* What the two branches of a gated block share when their products are made with tiles: how they are cut into blocks of
   rows, their norm, and the way back to the residual stream.

   Rows are characters in the order time, stream. `units` is a multiple of 32; what is missing of the last 32 rows is
   filled with rows of zeros. */

#ifndef CHARRNN_TILED_BRANCH_H
#define CHARRNN_TILED_BRANCH_H

#include <math.h>

#include "dropping.h"
#include "tiles.h"

#ifdef TILES

#define NORM_EPSILON 1e-6f

typedef struct {
    uint32_t seed, limit;
    float scale;
} drop;

INLINE int64_t whole_blocks(int64_t rows) { return (rows + SIDE - 1) / SIDE * SIDE; }

INLINE half *left_row(half *left, int64_t row, int64_t column_tiles) {
    return left + row / 16 * column_tiles * TILE + row % 16 * 32;
}

INLINE float inverse_rms(const float *x, int64_t units) {
    vec squares = splat(0.0f);
    for (int64_t at = 0; at < units; at += LANES) squares += load(x + at) * load(x + at);
    return 1.0f / sqrtf(sum(squares) / (float)units + NORM_EPSILON);
}

/* x gain / rms(x) for `count` rows as a left matrix. `inverse` takes each row's 1 / rms, or, with `known`, gives it. */
static void norm_left(
    const float *x, const float *gain, float *inverse, int known, half *left, int64_t count, int64_t units) {
    int64_t tiles = units / 32;
    for (int64_t row = 0; row < whole_blocks(count); row++) {
        half *to = left_row(left, row, tiles);
        if (row >= count) {
            for (int64_t tile = 0; tile < tiles; tile++) memset(to + tile * TILE, 0, 64);
            continue;
        }
        const float *from = x + row * units;
        if (!known) inverse[row] = inverse_rms(from, units);
        vec scale = splat(inverse[row]);
        for (int64_t at = 0; at < units; at += 32, to += TILE)
            store_halves(to, load(from + at) * scale * load(gain + at), load(from + at + 16) * scale * load(gain + at + 16));
    }
}

/* Backward of the norm for one row: of_x = past + what the gradient `of_normed` means for x, and of_gain is added to.
   of_normed is overwritten. */
INLINE void norm_row_backward(
    float *of_normed, const float *x, float inverse, const float *gain, const float *past, float *of_x, float *of_gain,
    int64_t units) {
    vec scale = splat(inverse), sums = splat(0.0f);
    for (int64_t at = 0; at < units; at += LANES) {
        vec of = load(of_normed + at), unit = load(x + at) * scale;
        store(of_gain + at, load(of_gain + at) + of * unit);
        of *= load(gain + at);
        sums += of * unit;
        store(of_normed + at, of);
    }
    vec mean = splat(sum(sums) / (float)units);
    for (int64_t at = 0; at < units; at += LANES) {
        vec unit = load(x + at) * scale;
        store(of_x + at, load(past + at) + scale * (load(of_normed + at) - unit * mean));
    }
}

/* Gradients made 32 columns at a time, (columns / 32, rows, 32), as (rows, columns). */
static void panels_to_rows(const float *panels, float *to, int64_t rows, int64_t columns) {
    for (int64_t first = 0; first < rows; first += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE)
            for (int64_t row = first; row < first + SIDE; row++)
                memcpy(to + row * columns + column, panels + column * rows + row * SIDE, SIDE * sizeof(float));
}

/* after = x + dropped(branch) for `count` numbers, the first of them at place `at`. */
INLINE void add_dropped(const float *x, const float *branch, float *after, int64_t at, int64_t count, drop dropout) {
    for (int64_t i = 0; i < count; i += LANES) {
        vec value = load(branch + i);
        if (dropout.limit) value = dropped(value, at + i, dropout.seed, dropout.limit, dropout.scale);
        store(after + i, load(x + i) + value);
    }
}

/* dropped(of_after) for `count` rows, the first of them at place `at`, as a left matrix. */
static void of_branch_left(const float *of_after, half *left, int64_t at, int64_t count, int64_t units, drop dropout) {
    int64_t tiles = units / 32;
    for (int64_t row = 0; row < whole_blocks(count); row++) {
        half *to = left_row(left, row, tiles);
        for (int64_t unit = 0; unit < units; unit += 32, to += TILE) {
            vec first = splat(0.0f), second = first;
            int64_t place = row * units + unit;
            if (row < count) {
                first = load(of_after + place);
                second = load(of_after + place + 16);
                if (dropout.limit) {
                    first = dropped(first, at + place, dropout.seed, dropout.limit, dropout.scale);
                    second = dropped(second, at + place + 16, dropout.seed, dropout.limit, dropout.scale);
                }
            }
            store_halves(to, first, second);
        }
    }
}

#endif
#endif
