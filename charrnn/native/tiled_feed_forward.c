/* The feed-forward branch of a gated block, x + dropout(W_2 relu(W_1 norm(x))^2), from end to end: blocks of rows go through
   both products while they are in the cache, and nothing but x is kept for the way back, which makes the rest again. */

#include "tiled_branch.h"

#ifdef TILES

#define FORWARD_ROWS 64
#define BACKWARD_ROWS 256

/* Between -infinity and 0 is 0; a NaN stays one, for this instruction gives its second operand then. */
INLINE vec relu(vec x) { return (vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)x); }

typedef struct {
    half *widen, *narrow, *normed, *squared;
    float *branch;
} forward_room;

static int64_t lay_out_forward(forward_room *to, char *room, int64_t units) {
    char *at = room;
    to->widen = take_halves(&at, 4 * units * units);
    to->narrow = take_halves(&at, 4 * units * units);
    to->normed = take_halves(&at, FORWARD_ROWS * units);
    to->squared = take_halves(&at, FORWARD_ROWS * 4 * units);
    to->branch = take_floats(&at, FORWARD_ROWS * units);
    return at - room;
}

/* x and after (rows, units), widen (4 units, units), narrow (units, 4 units), inverse (rows); `room` has as many bytes,
   from a cache line's beginning, as `tiled_feed_forward_room` says. */
KERNEL void tiled_feed_forward(
    const float *x, const float *gain, const float *widen, const float *narrow, float *inverse, float *after, char *room,
    int64_t rows, int64_t units, uint32_t seed, uint32_t limit, float scale) {
    const drop dropout = {seed, limit, scale};
    int64_t deep = units / 32, wide = 4 * deep;
    float sums[SIDE * SIDE] __attribute__((aligned(64)));
    forward_room in;
    lay_out_forward(&in, room, units);
    pack_right_transposed(widen, in.widen, units, 4 * units);
    pack_right_transposed(narrow, in.narrow, 4 * units, units);
    tiles_begin();
    for (int64_t first = 0; first < rows; first += FORWARD_ROWS) {
        int64_t count = rows - first < FORWARD_ROWS ? rows - first : FORWARD_ROWS, whole = whole_blocks(count);
        norm_left(x + first * units, gain, inverse + first, 0, in.normed, count, units);
        for (int64_t panel = 0; panel < wide; panel++)
            for (int64_t row = 0; row < whole; row += SIDE) {
                block_product(
                    in.normed + row / 16 * deep * TILE, deep, in.widen + panel * 2 * deep * TILE, deep, units, sums, SIDE, 0);
                half *to = in.squared + (row / 16 * wide + panel) * TILE;
                for (int64_t r = 0; r < SIDE; r++) {
                    vec one = relu(load(sums + r * SIDE)), two = relu(load(sums + r * SIDE + 16));
                    store_halves(left_row(to, r, wide), one * one, two * two);
                }
            }
        product(in.squared, wide, in.narrow, wide, whole, units, 4 * units, in.branch, units, 0);
        add_dropped(x + first * units, in.branch, after + first * units, first * units, count * units, dropout);
    }
    tiles_end();
}

typedef struct {
    half *widen, *widen_back, *narrow_back, *normed, *normed_across, *of_branch, *of_branch_across, *of_wide;
    half *squared_panel, *of_wide_panel;
    float *of_normed, *of_widen, *of_narrow;
} backward_room;

static int64_t lay_out_backward(backward_room *to, char *room, int64_t units) {
    char *at = room;
    half **weights[] = {&to->widen, &to->widen_back, &to->narrow_back};
    half **narrow[] = {&to->normed, &to->normed_across, &to->of_branch, &to->of_branch_across};
    for (int i = 0; i < 3; i++) *weights[i] = take_halves(&at, 4 * units * units);
    for (int i = 0; i < 4; i++) *narrow[i] = take_halves(&at, BACKWARD_ROWS * units);
    to->of_wide = take_halves(&at, BACKWARD_ROWS * 4 * units);
    to->squared_panel = take_halves(&at, BACKWARD_ROWS * SIDE);
    to->of_wide_panel = take_halves(&at, BACKWARD_ROWS * SIDE);
    to->of_normed = take_floats(&at, BACKWARD_ROWS * units);
    to->of_widen = take_floats(&at, 4 * units * units);
    to->of_narrow = take_floats(&at, 4 * units * units);
    return at - room;
}

KERNEL int64_t tiled_feed_forward_room(int64_t units) {
    forward_room forward;
    backward_room backward;
    int64_t one = lay_out_forward(&forward, 0, units), other = lay_out_backward(&backward, 0, units);
    return one > other ? one : other;
}

/* 32 columns of the wide layer for all rows of a block: its values and their gradients, the latter as a left matrix too. */
static void wide_panel(const backward_room *in, int64_t panel, int64_t rows, int64_t units) {
    int64_t deep = units / 32, wide = 4 * deep, weights = panel * 2 * deep * TILE;
    float sums[SIDE * SIDE] __attribute__((aligned(64))), of_sums[SIDE * SIDE] __attribute__((aligned(64)));
    half squared[2 * TILE] __attribute__((aligned(64)));
    for (int64_t row = 0; row < rows; row += SIDE) {
        int64_t from = row / 16 * deep * TILE;
        block_product(in->normed + from, deep, in->widen + weights, deep, units, sums, SIDE, 0);
        block_product(in->of_branch + from, deep, in->narrow_back + weights, deep, units, of_sums, SIDE, 0);
        half *to = in->of_wide + (row / 16 * wide + panel) * TILE;
        for (int64_t r = 0; r < SIDE; r++) {
            vec one = relu(load(sums + r * SIDE)), two = relu(load(sums + r * SIDE + 16));
            store_halves(left_row(squared, r, 1), one * one, two * two);
            one = (one + one) * load(of_sums + r * SIDE);
            two = (two + two) * load(of_sums + r * SIDE + 16);
            store_halves(left_row(to, r, wide), one, two);
        }
        block_right(squared, 1, in->squared_panel + row / 32 * TILE, rows / 32);
        block_right(to, wide, in->of_wide_panel + row / 32 * TILE, rows / 32);
    }
}

/* Backward of that. of_x (rows, units), of_widen and of_narrow are overwritten, of_gain is added to. */
KERNEL void tiled_feed_forward_backward(
    const float *of_after, const float *x, const float *inverse, const float *gain, const float *widen, const float *narrow,
    float *of_x, float *of_gain, float *of_widen, float *of_narrow, char *room, int64_t rows, int64_t units, uint32_t seed,
    uint32_t limit, float scale) {
    const drop dropout = {seed, limit, scale};
    int64_t deep = units / 32, wide = 4 * deep;
    backward_room in;
    lay_out_backward(&in, room, units);
    pack_right_transposed(widen, in.widen, units, 4 * units);
    pack_right(widen, in.widen_back, 4 * units, units);
    pack_right(narrow, in.narrow_back, units, 4 * units);
    tiles_begin();
    for (int64_t first = 0; first < rows; first += BACKWARD_ROWS) {
        int64_t count = rows - first < BACKWARD_ROWS ? rows - first : BACKWARD_ROWS, whole = whole_blocks(count);
        int64_t at = first * units;
        norm_left(x + at, gain, (float *)inverse + first, 1, in.normed, count, units);
        of_branch_left(of_after + at, in.of_branch, at, count, units, dropout);
        transpose_left(in.normed, in.normed_across, whole, units);
        transpose_left(in.of_branch, in.of_branch_across, whole, units);
        for (int64_t panel = 0; panel < wide; panel++) {
            wide_panel(&in, panel, whole, units);
            product(
                in.of_branch_across, whole / 32, in.squared_panel, whole / 32, units, SIDE, whole,
                in.of_narrow + panel * SIDE * units, SIDE, first > 0);
            product(
                in.normed_across, whole / 32, in.of_wide_panel, whole / 32, units, SIDE, whole,
                in.of_widen + panel * SIDE * units, SIDE, first > 0);
        }
        product(in.of_wide, wide, in.widen_back, wide, whole, units, 4 * units, in.of_normed, units, 0);
        for (int64_t row = 0; row < count; row++) {
            int64_t here = at + row * units;
            norm_row_backward(
                in.of_normed + row * units, x + here, inverse[first + row], gain, of_after + here, of_x + here, of_gain, units);
        }
    }
    tiles_end();
    for (int64_t panel = 0; panel < wide; panel++)
        transpose_floats(in.of_widen + panel * SIDE * units, of_widen + panel * SIDE * units, units, SIDE);
    panels_to_rows(in.of_narrow, of_narrow, units, 4 * units);
}

#endif
