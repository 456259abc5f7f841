/* Muon's step for one matrix, from gradient to weight; the method is that of charrnn/training/muon.py. The iterations' matrix
   stays in bfloat16, in the layouts of tiles.h; it is the wide way round, short rows being cheaper to multiply. */

#include <math.h>

#include "tiles.h"

#ifdef TILES

typedef struct {
    half *x, *next, *across; /* (short, long) as left matrices, and as the right matrix of whichever product is due */
    half *square, *polynomial, *square_right;
    float *direction;
} muon_room;

static int64_t lay_out(muon_room *to, char *room, int64_t size, int64_t side) {
    char *at = room;
    half **whole[] = {&to->x, &to->next, &to->across}, **square[] = {&to->square, &to->polynomial, &to->square_right};
    for (int i = 0; i < 3; i++) *whole[i] = take_halves(&at, size);
    for (int i = 0; i < 3; i++) *square[i] = take_halves(&at, side * side);
    to->direction = take_floats(&at, size);
    return at - room;
}

KERNEL int64_t tiled_muon_room(int64_t rows, int64_t columns) {
    muon_room in;
    return lay_out(&in, 0, rows * columns, rows < columns ? rows : columns);
}

/* A left matrix (rows, depth) as the right matrix of its transposed: tile by tile, in the same places. */
static void right_of_transposed(const half *left, half *right, int64_t numbers) {
    for (int64_t at = 0; at < numbers; at += TILE) {
        __m512i rows[16];
        for (int row = 0; row < 16; row++) rows[row] = _mm512_load_si512(left + at + row * 32);
        transpose_16(rows);
        for (int row = 0; row < 16; row++) _mm512_store_si512(right + at + row * 32, rows[row]);
    }
}

/* A left matrix (rows, columns) as a right matrix with the rows for depth. */
static void right_of(const half *left, half *right, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE)
            block_right(
                left + (row / 16 * (columns / 32) + column / 32) * TILE, columns / 32,
                right + (column / 16 * (rows / 32) + row / 32) * TILE, rows / 32);
}

/* to (rows, columns) = scale other + factor (left times right), all but `right` left matrices; without `other`, 0. Of what is
   `symmetric`, half is copied. */
static void combine(
    const half *left, const half *right, const half *other, float scale, float factor, half *to, int64_t rows,
    int64_t columns, int64_t depth, int symmetric) {
    int64_t tiles = columns / 32;
    float sums[SIDE * SIDE] __attribute__((aligned(64)));
    for (int64_t column = 0; column < columns; column += SIDE)
        for (int64_t row = 0; row < (symmetric ? column + 1 : rows); row += SIDE) {
            block_product(
                left + row / 16 * (depth / 32) * TILE, depth / 32, right + column / 16 * (depth / 32) * TILE, depth / 32,
                depth, sums, SIDE, 0);
            for (int64_t r = 0; r < SIDE; r++) {
                int64_t at = ((row + r) / 16 * tiles + column / 32) * TILE + r % 16 * 32;
                vec one = splat(factor) * load(sums + r * SIDE), two = splat(factor) * load(sums + r * SIDE + 16);
                if (other) {
                    vec first, second;
                    load_halves(other + at, &first, &second);
                    one += splat(scale) * first;
                    two += splat(scale) * second;
                }
                store_halves(to + at, one, two);
            }
            if (symmetric && row < column)
                block_transposed(
                    to + (row / 16 * tiles + column / 32) * TILE, tiles, to + (column / 16 * tiles + row / 32) * TILE, tiles);
        }
}

/* momentum += share (gradient - momentum); the direction is gradient + (1 - share) (momentum - gradient), brought to singular
   values of about one by `iterations` of x <- a x + (b S + c S S) x with S = x x'; and weights = keep weights - rate
   direction. All are (rows, columns), multiples of 32. */
KERNEL void tiled_muon(
    float *weights, const float *gradient, float *momentum, char *room, int64_t rows, int64_t columns, int64_t iterations,
    float share, float a, float b, float c, float keep, float rate) {
    int64_t size = rows * columns, side = rows < columns ? rows : columns, wide = size / side;
    muon_room in;
    lay_out(&in, room, size, side);
    vec squares = splat(0.0f);
    for (int64_t at = 0; at < size; at += LANES) {
        vec g = load(gradient + at), m = load(momentum + at);
        m += splat(share) * (g - m);
        vec direction = g + splat(1.0f - share) * (m - g);
        store(momentum + at, m);
        store(in.direction + at, direction);
        squares += direction * direction;
    }
    const vec scale = splat(1.0f / (sqrtf(sum(squares)) + 1e-7f));
    half *first = side == rows ? in.x : in.next;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column += 32) {
            const float *from = in.direction + row * columns + column;
            half *to = first + (row / 16 * (columns / 32) + column / 32) * TILE + row % 16 * 32;
            store_halves(to, load(from) * scale, load(from + 16) * scale);
        }
    if (side < rows) transpose_left(in.next, in.x, rows, columns);
    tiles_begin();
    for (int64_t turn = 0; turn < iterations; turn++) {
        right_of_transposed(in.x, in.across, size);
        combine(in.x, in.across, 0, 0.0f, 1.0f, in.square, side, side, wide, 1);
        right_of_transposed(in.square, in.square_right, side * side);
        combine(in.square, in.square_right, in.square, b, c, in.polynomial, side, side, side, 1);
        right_of(in.x, in.across, side, wide);
        combine(in.polynomial, in.across, in.x, a, 1.0f, in.next, side, wide, side, 0);
        half *before = in.x;
        in.x = in.next;
        in.next = before;
    }
    tiles_end();
    const half *result = in.x;
    if (side < rows) {
        transpose_left(in.x, in.next, columns, rows);
        result = in.next;
    }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column += 32) {
            float *to = weights + row * columns + column;
            vec one, two;
            load_halves(result + (row / 16 * (columns / 32) + column / 32) * TILE + row % 16 * 32, &one, &two);
            store(to, splat(keep) * load(to) - splat(rate) * one);
            store(to + 16, splat(keep) * load(to + 16) - splat(rate) * two);
        }
}

#endif
