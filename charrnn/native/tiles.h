/* Matrix products in bfloat16 with the tile registers of AMX (Intel, Architecture Instruction Set Extensions, chapter 3),
   sums in float32, and the layouts which they want.

   A matrix is cut into tiles of 1 KB, each contiguous. For left (rows, depth) times right (depth, columns):

       left   [rows / 16][depth / 32][row 16][depth 32]
       right  [columns / 16][depth / 32][depth / 2: 16][column 16][2]

   so that a row of a right tile holds pairs of numbers that follow each other along the depth. A right tile, taken as 16 by
   16 pairs and transposed, is the left tile of the transposed matrix. A product is made in blocks of 32 rows and 32 columns:
   two by two tiles. Instructions for tiles ignore numbers below 2^-126 and hide no NaN. */

#ifndef CHARRNN_TILES_H
#define CHARRNN_TILES_H

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__linux__)
#define TILES 1

#include "vectors.h"

#define TILE 512 /* numbers in a tile of bfloat16 */
#define SIDE 32  /* rows, or columns, of a block */

typedef uint16_t half;

/* The compiler does not know which memory these instructions touch. */
#define TILE_FENCE() __asm__ volatile("" ::: "memory")

INLINE void tiles_begin(void) {
    struct {
        uint8_t palette, first_row, none[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } __attribute__((packed)) shape = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        shape.bytes[tile] = 64;
        shape.rows[tile] = 16;
    }
    TILE_FENCE();
    _tile_loadconfig(&shape);
}

INLINE void tiles_end(void) { _tile_release(); }

/* The next `bytes` of the room for scratch, from a cache line's beginning. A room at 0 only counts. */
INLINE void *take(char **room, int64_t bytes) {
    char *here = *room;
    *room += (bytes + 63) / 64 * 64;
    return here;
}

INLINE half *take_halves(char **room, int64_t count) { return take(room, count * (int64_t)sizeof(half)); }

INLINE float *take_floats(char **room, int64_t count) { return take(room, count * (int64_t)sizeof(float)); }

/* One block: sums (32 rows, `stride` floats apart, of 32 columns) = left times right, or, with `add`, that added. The two
   rows of tiles of `left`, and the two columns of `right`, are `left_step` and `right_step` tiles apart. */
INLINE void block_product(
    const half *left, int64_t left_step, const half *right, int64_t right_step, int64_t depth, float *sums, int64_t stride,
    int add) {
    int64_t bytes = stride * (int64_t)sizeof(float);
    const half *left_1 = left + left_step * TILE, *right_1 = right + right_step * TILE;
    TILE_FENCE();
    if (add) {
        _tile_loadd(0, sums, bytes);
        _tile_loadd(1, sums + 16, bytes);
        _tile_loadd(2, sums + 16 * stride, bytes);
        _tile_loadd(3, sums + 16 * stride + 16, bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t at = 0; at < depth / 32 * TILE; at += TILE) {
        _tile_loadd(4, left + at, 64);
        _tile_loadd(6, right + at, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, right_1 + at, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, left_1 + at, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, bytes);
    _tile_stored(1, sums + 16, bytes);
    _tile_stored(2, sums + 16 * stride, bytes);
    _tile_stored(3, sums + 16 * stride + 16, bytes);
    TILE_FENCE();
}

/* sums (rows, columns), rows `stride` floats apart, = left times right, or that added; all sizes multiples of 32. */
INLINE void product(
    const half *left, int64_t left_step, const half *right, int64_t right_step, int64_t rows, int64_t columns, int64_t depth,
    float *sums, int64_t stride, int add) {
    for (int64_t column = 0; column < columns; column += SIDE)
        for (int64_t row = 0; row < rows; row += SIDE)
            block_product(
                left + row / 16 * left_step * TILE, left_step, right + column / 16 * right_step * TILE, right_step, depth,
                sums + row * stride + column, stride, add);
}

/* 32 numbers to bfloat16, to the nearest, half-way cases to even, in order. */
INLINE __m512i halves(vec first, vec second) {
    return (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

INLINE void store_halves(half *to, vec first, vec second) { _mm512_store_si512(to, halves(first, second)); }

/* 32 numbers from bfloat16, in two vectors. */
INLINE void load_halves(const half *from, vec *first, vec *second) {
    __m512i both = _mm512_load_si512(from);
    *first = (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)), 16);
    *second = (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16);
}

/* 16 numbers of two rows of 32 as pairs: those from `first` (0 or 16) on. */
INLINE __m512i pairs(__m512i even, __m512i odd, int first) {
    const __m512i low = _mm512_set_epi16(
        47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    return _mm512_permutex2var_epi16(even, _mm512_add_epi16(low, _mm512_set1_epi16((int16_t)first)), odd);
}

/* A matrix of 16 by 16 words of 32 bits, transposed in place. */
INLINE void transpose_16(__m512i rows[16]) {
    __m512i other[16];
    for (int at = 0; at < 16; at += 2) {
        other[at] = _mm512_unpacklo_epi32(rows[at], rows[at + 1]);
        other[at + 1] = _mm512_unpackhi_epi32(rows[at], rows[at + 1]);
    }
    for (int at = 0; at < 16; at += 4) {
        rows[at] = _mm512_unpacklo_epi64(other[at], other[at + 2]);
        rows[at + 1] = _mm512_unpackhi_epi64(other[at], other[at + 2]);
        rows[at + 2] = _mm512_unpacklo_epi64(other[at + 1], other[at + 3]);
        rows[at + 3] = _mm512_unpackhi_epi64(other[at + 1], other[at + 3]);
    }
    for (int at = 0; at < 4; at++) {
        other[at] = _mm512_shuffle_i32x4(rows[at], rows[at + 4], 0x88);
        other[at + 4] = _mm512_shuffle_i32x4(rows[at], rows[at + 4], 0xdd);
        other[at + 8] = _mm512_shuffle_i32x4(rows[at + 8], rows[at + 12], 0x88);
        other[at + 12] = _mm512_shuffle_i32x4(rows[at + 8], rows[at + 12], 0xdd);
    }
    for (int at = 0; at < 4; at++) {
        rows[at] = _mm512_shuffle_i32x4(other[at], other[at + 8], 0x88);
        rows[at + 4] = _mm512_shuffle_i32x4(other[at + 4], other[at + 12], 0x88);
        rows[at + 8] = _mm512_shuffle_i32x4(other[at], other[at + 8], 0xdd);
        rows[at + 12] = _mm512_shuffle_i32x4(other[at + 4], other[at + 12], 0xdd);
    }
}

/* From weights (depth, columns), a right matrix. */
static void pack_right(const float *weights, half *right, int64_t depth, int64_t columns) {
    for (int64_t row = 0; row < depth; row += 32)
        for (int64_t column = 0; column < columns; column += 16) {
            half *to = right + (column / 16 * (depth / 32) + row / 32) * TILE;
            for (int64_t pair = 0; pair < 16; pair++) {
                const float *from = weights + (row + 2 * pair) * columns + column;
                __m512i both = halves(load(from), load(from + columns));
                _mm512_store_si512(to + pair * 32, pairs(both, _mm512_alignr_epi64(both, both, 4), 0));
            }
        }
}

/* From weights (columns, depth), a right matrix: that of the transposed weights. */
static void pack_right_transposed(const float *weights, half *right, int64_t depth, int64_t columns) {
    for (int64_t column = 0; column < columns; column += 16)
        for (int64_t at = 0; at < depth; at += 32, right += TILE) {
            __m512i rows[16];
            for (int row = 0; row < 16; row++) {
                const float *from = weights + (column + row) * depth + at;
                rows[row] = halves(load(from), load(from + 16));
            }
            transpose_16(rows);
            for (int row = 0; row < 16; row++) _mm512_store_si512(right + row * 32, rows[row]);
        }
}

/* 32 rows and 32 columns of a left matrix, whose rows of tiles are `left_step` tiles apart, as two tiles of a right matrix
   with the rows for depth, `right_step` tiles apart. */
INLINE void block_right(const half *left, int64_t left_step, half *right, int64_t right_step) {
    for (int pair = 0; pair < 16; pair++) {
        const half *from = left + (pair / 8) * left_step * TILE + (pair % 8) * 64;
        __m512i even = _mm512_load_si512(from), odd = _mm512_load_si512(from + 32);
        _mm512_store_si512(right + pair * 32, pairs(even, odd, 0));
        _mm512_store_si512(right + right_step * TILE + pair * 32, pairs(even, odd, 16));
    }
}

/* The same 32 rows and columns as two tiles of the transposed left matrix, `to_step` tiles apart. */
INLINE void block_transposed(const half *left, int64_t left_step, half *to, int64_t to_step) {
    for (int first = 0; first < 32; first += 16) {
        __m512i rows[16];
        for (int pair = 0; pair < 16; pair++) {
            const half *from = left + (pair / 8) * left_step * TILE + (pair % 8) * 64;
            rows[pair] = pairs(_mm512_load_si512(from), _mm512_load_si512(from + 32), first);
        }
        transpose_16(rows);
        for (int unit = 0; unit < 16; unit++) _mm512_store_si512(to + (first / 16) * to_step * TILE + unit * 32, rows[unit]);
    }
}

/* All rows of a left matrix (rows, columns) transposed: a left matrix (columns, rows). */
static void transpose_left(const half *left, half *to, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row += SIDE)
        for (int64_t column = 0; column < columns; column += SIDE)
            block_transposed(
                left + (row / 16 * (columns / 32) + column / 32) * TILE, columns / 32,
                to + (column / 16 * (rows / 32) + row / 32) * TILE, rows / 32);
}

/* x (rows, columns) of float32, transposed. */
static void transpose_floats(const float *x, float *to, int64_t rows, int64_t columns) {
    for (int64_t column = 0; column < columns; column += 16)
        for (int64_t row = 0; row < rows; row += 16) {
            __m512i block[16];
            for (int at = 0; at < 16; at++) block[at] = _mm512_loadu_si512(x + (row + at) * columns + column);
            transpose_16(block);
            for (int at = 0; at < 16; at++) _mm512_storeu_si512(to + (column + at) * rows + row, block[at]);
        }
}

#endif
#endif
