/* The recurrent branch of a gated block, x + dropout(W_o (minGRU(convolution(norm(x))))), from end to end; the equations
   are those of gated_block.h and of charrnn/model/gated.py. Kept for the way back are x and the states alone. */

#include "tiled_branch.h"

#ifdef TILES

#define FORWARD_ROWS 64
#define BACKWARD_ROWS 256

/* What both ways read: x (time, streams, units); gain (units); kernel (taps, units); `before` (streams, taps - 1, units) or
   NULL for zeros; enter (3 units, units); bias (3 units); h0 (streams, units) or NULL for zeros; leave (units, units). */
typedef struct {
    const float *x, *gain, *kernel, *before, *enter, *bias, *h0, *leave;
    int64_t rows, streams, units, taps;
} branch;

INLINE int64_t halo_of(const branch *b) { return (b->taps - 1) * b->streams; }

/* The normed row `row`, which may lie before the portion, into `to`. */
INLINE void norm_row(const branch *b, int64_t row, float *inverse, int known, float *to) {
    int64_t units = b->units;
    if (row < 0) {
        int64_t age = (-row + b->streams - 1) / b->streams, stream = row + age * b->streams;
        if (b->before) {
            memcpy(to, b->before + (stream * (b->taps - 1) + b->taps - 1 - age) * units, (size_t)units * sizeof(float));
        } else {
            memset(to, 0, (size_t)units * sizeof(float));
        }
        return;
    }
    const float *from = b->x + row * units;
    if (!known) inverse[row] = inverse_rms(from, units);
    vec scale = splat(inverse[row]);
    for (int64_t at = 0; at < units; at += LANES) store(to + at, load(from + at) * scale * load(b->gain + at));
}

/* The convolution of `count` normed rows, before which there are those that it reaches back to, as a left matrix. */
static void convolve_left(const branch *b, const float *normed, half *left, int64_t count) {
    int64_t units = b->units, tiles = units / 32, back = b->streams * units;
    for (int64_t row = 0; row < whole_blocks(count); row++) {
        half *to = left_row(left, row, tiles);
        for (int64_t at = 0; at < units; at += 32, to += TILE) {
            vec one = splat(0.0f), two = one;
            const float *from = normed + row * units + at, *kernel = b->kernel + at;
            for (int64_t j = 0; j < b->taps && row < count; j++) {
                one += load(kernel + j * units) * load(from - j * back);
                two += load(kernel + j * units + 16) * load(from - j * back + 16);
            }
            store_halves(to, one, two);
        }
    }
}

typedef struct {
    half *enter, *leave, *u, *gated;
    float *normed, *branch;
} forward_room;

static int64_t lay_out_forward(forward_room *to, char *room, int64_t halo, int64_t units) {
    char *at = room;
    to->enter = take_halves(&at, 3 * units * units);
    to->leave = take_halves(&at, units * units);
    to->u = take_halves(&at, FORWARD_ROWS * units);
    to->gated = take_halves(&at, FORWARD_ROWS * units);
    to->normed = take_floats(&at, (halo + FORWARD_ROWS) * units);
    to->branch = take_floats(&at, FORWARD_ROWS * units);
    return at - room;
}

/* Gate, candidate and opening of 32 rows and 32 units, without their biases. */
INLINE void project_block(const half *u, const half *enter, int64_t panel, int64_t units, float *sums) {
    int64_t deep = units / 32;
    for (int64_t part = 0; part < 3; part++)
        block_product(
            u, deep, enter + (part * deep + panel) * 2 * deep * TILE, deep, units, sums + part * SIDE * SIDE, SIDE, 0);
}

/* The recurrence for `count` (at most 32) rows and 32 units, from their projections. */
INLINE void recur_block(
    const branch *b, const float *sums, int64_t first, int64_t count, int64_t panel, float *states, half *gated) {
    int64_t units = b->units;
    for (int64_t part = 0; part < 2; part++) {
        int64_t unit = panel * SIDE + part * 16;
        vec bias_z = load(b->bias + unit), bias_c = load(b->bias + units + unit), bias_g = load(b->bias + 2 * units + unit);
        for (int64_t r = 0; r < count; r++) {
            const float *from = sums + r * SIDE + part * 16;
            int64_t row = first + r, at = row * units + unit;
            vec z = sigmoid_vec(load(from) + bias_z);
            vec c = load(from + SIDE * SIDE) + bias_c, g = load(from + 2 * SIDE * SIDE) + bias_g;
            vec h = splat(0.0f);
            if (row >= b->streams) {
                h = load(states + at - b->streams * units);
            } else if (b->h0) {
                h = load(b->h0 + at);
            }
            h += z * (c - h);
            store(states + at, h);
            _mm256_store_si256(
                (__m256i *)(left_row(gated, r, units / 32) + part * 16),
                (__m256i)_mm512_cvtneps_pbh((__m512)(h * g * sigmoid_vec(g))));
        }
    }
    for (int64_t r = count; r < SIDE; r++) memset(left_row(gated, r, units / 32), 0, 64);
}

/* after and states (time, streams, units), inverse (time, streams), kept (streams, taps - 1, units); `room` as
   `tiled_recurrent_room` says. */
KERNEL void tiled_recurrent(
    const float *x, const float *gain, const float *kernel, const float *before, const float *enter, const float *bias,
    const float *h0, const float *leave, float *kept, float *inverse, float *states, float *after, char *room, int64_t time,
    int64_t streams, int64_t units, int64_t taps, uint32_t seed, uint32_t limit, float scale) {
    const branch b = {x, gain, kernel, before, enter, bias, h0, leave, time * streams, streams, units, taps};
    const drop dropout = {seed, limit, scale};
    int64_t deep = units / 32, halo = halo_of(&b), count = 0;
    float sums[3 * SIDE * SIDE] __attribute__((aligned(64)));
    forward_room in;
    lay_out_forward(&in, room, halo, units);
    pack_right_transposed(enter, in.enter, units, 3 * units);
    pack_right_transposed(leave, in.leave, units, units);
    for (int64_t row = 0; row < halo; row++) norm_row(&b, row - halo, 0, 0, in.normed + row * units);
    tiles_begin();
    for (int64_t first = 0; first < b.rows; first += FORWARD_ROWS) {
        if (first) memmove(in.normed, in.normed + count * units, (size_t)(halo * units) * sizeof(float));
        count = b.rows - first < FORWARD_ROWS ? b.rows - first : FORWARD_ROWS;
        for (int64_t row = 0; row < count; row++)
            norm_row(&b, first + row, inverse, 0, in.normed + (halo + row) * units);
        convolve_left(&b, in.normed + halo * units, in.u, count);
        for (int64_t panel = 0; panel < deep; panel++)
            for (int64_t row = 0; row < count; row += SIDE) {
                project_block(in.u + row / 16 * deep * TILE, in.enter, panel, units, sums);
                int64_t here = count - row < SIDE ? count - row : SIDE;
                recur_block(&b, sums, first + row, here, panel, states, in.gated + (row / 16 * deep + panel) * TILE);
            }
        product(in.gated, deep, in.leave, deep, whole_blocks(count), units, units, in.branch, units, 0);
        add_dropped(x + first * units, in.branch, after + first * units, first * units, count * units, dropout);
    }
    tiles_end();
    for (int64_t row = 0; row < halo; row++)
        memcpy(
            kept + (row % streams * (taps - 1) + row / streams) * units, in.normed + (count + row) * units,
            (size_t)units * sizeof(float));
}

typedef struct {
    half *enter, *enter_back, *leave_back, *u, *u_across, *of_branch, *of_branch_across, *of_projected;
    half *gated_panel, *of_projected_panel;
    float *normed, *of_u, *of_normed, *of_enter, *of_leave;
} backward_room;

static int64_t lay_out_backward(backward_room *to, char *room, int64_t halo, int64_t units) {
    char *at = room;
    half **narrow[] = {&to->u, &to->u_across, &to->of_branch, &to->of_branch_across};
    to->enter = take_halves(&at, 3 * units * units);
    to->enter_back = take_halves(&at, 3 * units * units);
    to->leave_back = take_halves(&at, units * units);
    for (int i = 0; i < 4; i++) *narrow[i] = take_halves(&at, BACKWARD_ROWS * units);
    to->of_projected = take_halves(&at, BACKWARD_ROWS * 3 * units);
    to->gated_panel = take_halves(&at, BACKWARD_ROWS * SIDE);
    to->of_projected_panel = take_halves(&at, 3 * BACKWARD_ROWS * SIDE);
    to->normed = take_floats(&at, (halo + BACKWARD_ROWS) * units);
    to->of_u = take_floats(&at, (halo + BACKWARD_ROWS) * units);
    to->of_normed = take_floats(&at, units);
    to->of_enter = take_floats(&at, 3 * units * units);
    to->of_leave = take_floats(&at, units * units);
    return at - room;
}

KERNEL int64_t tiled_recurrent_room(int64_t streams, int64_t units, int64_t taps) {
    forward_room forward;
    backward_room backward;
    int64_t halo = (taps - 1) * streams;
    int64_t one = lay_out_forward(&forward, 0, halo, units), other = lay_out_backward(&backward, 0, halo, units);
    return one > other ? one : other;
}

/* Backward of `recur_block`: of_gated (32, 32) → the gradients of the three projections, left matrices of which the first
   is at of_projected, and gated, once more. of_h (streams, units) goes back in time; of_bias is added to. */
INLINE void recur_block_backward(
    const branch *b, const float *sums, const float *of_gated, int64_t first, int64_t count, int64_t panel,
    const float *states, float *of_h, float *of_bias, half *of_projected, half *gated) {
    const vec one = splat(1.0f);
    int64_t units = b->units, deep = units / 32;
    for (int64_t part = 0; part < 2; part++) {
        int64_t unit = panel * SIDE + part * 16;
        vec bias_z = load(b->bias + unit), bias_c = load(b->bias + units + unit), bias_g = load(b->bias + 2 * units + unit);
        vec all_z = splat(0.0f), all_c = all_z, all_g = all_z;
        for (int64_t r = count - 1; r >= 0; r--) {
            const float *from = sums + r * SIDE + part * 16;
            int64_t row = first + r, at = row * units + unit;
            vec z = sigmoid_vec(load(from) + bias_z);
            vec c = load(from + SIDE * SIDE) + bias_c, g = load(from + 2 * SIDE * SIDE) + bias_g;
            vec open = sigmoid_vec(g), h = load(states + at), held = splat(0.0f);
            if (row >= b->streams) {
                held = load(states + at - b->streams * units);
            } else if (b->h0) {
                held = load(b->h0 + at);
            }
            float *of_held = of_h + row % b->streams * units + unit;
            vec of = load(of_gated + r * SIDE + part * 16), silu = g * open;
            vec of_g = of * h * open * (one + g - silu);
            vec of_state = load(of_held) + of * silu;
            vec of_z = of_state * (c - held) * z * (one - z), of_c = of_state * z;
            store(of_held, of_state - of_c);
            all_z += of_z;
            all_c += of_c;
            all_g += of_g;
            half *to = left_row(of_projected, r, 3 * deep) + part * 16;
            _mm256_store_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)of_z));
            _mm256_store_si256((__m256i *)(to + deep * TILE), (__m256i)_mm512_cvtneps_pbh((__m512)of_c));
            _mm256_store_si256((__m256i *)(to + 2 * deep * TILE), (__m256i)_mm512_cvtneps_pbh((__m512)of_g));
            _mm256_store_si256(
                (__m256i *)(left_row(gated, r, 1) + part * 16), (__m256i)_mm512_cvtneps_pbh((__m512)(h * silu)));
        }
        store(of_bias + unit, load(of_bias + unit) + all_z);
        store(of_bias + units + unit, load(of_bias + units + unit) + all_c);
        store(of_bias + 2 * units + unit, load(of_bias + 2 * units + unit) + all_g);
    }
    for (int64_t r = count; r < SIDE; r++) {
        memset(left_row(gated, r, 1), 0, 64);
        for (int64_t part = 0; part < 3; part++) memset(left_row(of_projected, r, 3 * deep) + part * deep * TILE, 0, 64);
    }
}

/* 32 units for all rows of a block, and what they add to the gradients of the weights. */
static void unit_panel(
    const branch *b, const backward_room *in, int64_t panel, int64_t first, int64_t count, const float *states, float *of_h,
    float *of_bias, int add) {
    int64_t units = b->units, deep = units / 32, whole = whole_blocks(count), pieces = whole / 32;
    float sums[3 * SIDE * SIDE] __attribute__((aligned(64))), of_gated[SIDE * SIDE] __attribute__((aligned(64)));
    half gated[2 * TILE] __attribute__((aligned(64)));
    for (int64_t row = whole - SIDE; row >= 0; row -= SIDE) {
        int64_t from = row / 16 * deep * TILE, here = count - row < SIDE ? count - row : SIDE;
        half *to = in->of_projected + (row / 16 * 3 * deep + panel) * TILE;
        project_block(in->u + from, in->enter, panel, units, sums);
        block_product(
            in->of_branch + from, deep, in->leave_back + panel * 2 * deep * TILE, deep, units, of_gated, SIDE, 0);
        recur_block_backward(b, sums, of_gated, first + row, here, panel, states, of_h, of_bias, to, gated);
        block_right(gated, 1, in->gated_panel + row / 32 * TILE, pieces);
        for (int64_t part = 0; part < 3; part++)
            block_right(
                to + part * deep * TILE, 3 * deep, in->of_projected_panel + (part * 2 * pieces + row / 32) * TILE, pieces);
    }
    product(
        in->of_branch_across, pieces, in->gated_panel, pieces, units, SIDE, whole, in->of_leave + panel * SIDE * units, SIDE,
        add);
    for (int64_t part = 0; part < 3; part++)
        product(
            in->u_across, pieces, in->of_projected_panel + part * 2 * pieces * TILE, pieces, units, SIDE, whole,
            in->of_enter + (part * deep + panel) * SIDE * units, SIDE, add);
}

/* Backward of convolution and norm for a row of the block; the gradients of u for it and for the rows that it reaches are
   at of_u, the normed rows at `normed`. */
INLINE void convolve_row_backward(
    const branch *b, const float *of_u, const float *normed, float *of_normed, float *of_kernel) {
    int64_t units = b->units, step = b->streams * units;
    for (int64_t at = 0; at < units; at += LANES) {
        vec of = load(of_u + at), total = splat(0.0f);
        for (int64_t j = 0; j < b->taps; j++) {
            float *to = of_kernel + j * units + at;
            total += load(b->kernel + j * units + at) * load(of_u + j * step + at);
            store(to, load(to) + of * load(normed - j * step + at));
        }
        store(of_normed + at, total);
    }
}

/* of_u (time, streams, units), its first taps - 1 times and zeros → the gradient of `before`. */
static void of_before_of(const branch *b, const float *of_u, float *of_before) {
    int64_t units = b->units, kept = b->taps - 1;
    for (int64_t stream = 0; stream < b->streams; stream++)
        for (int64_t i = 0; i < kept; i++)
            for (int64_t at = 0; at < units; at += LANES) {
                vec total = splat(0.0f);
                for (int64_t t = 0; t <= i; t++)
                    total += load(b->kernel + (kept + t - i) * units + at) * load(of_u + (t * b->streams + stream) * units + at);
                store(of_before + (stream * kept + i) * units + at, total);
            }
}

/* Backward of that. of_h (streams, units) is the gradient of the last state and becomes that of h0. of_x, of_enter, of_leave
   and, where it is not NULL, of_before are overwritten; of_gain, of_kernel and of_bias are added to. */
KERNEL void tiled_recurrent_backward(
    const float *of_after, const float *x, const float *gain, const float *kernel, const float *before, const float *enter,
    const float *bias, const float *h0, const float *leave, const float *inverse, const float *states, float *of_h,
    float *of_x, float *of_gain, float *of_kernel, float *of_before, float *of_enter, float *of_bias, float *of_leave,
    char *room, int64_t time, int64_t streams, int64_t units, int64_t taps, uint32_t seed, uint32_t limit, float scale) {
    const branch b = {x, gain, kernel, before, enter, bias, h0, leave, time * streams, streams, units, taps};
    const drop dropout = {seed, limit, scale};
    int64_t deep = units / 32, halo = halo_of(&b), last = (b.rows - 1) / BACKWARD_ROWS * BACKWARD_ROWS;
    backward_room in;
    lay_out_backward(&in, room, halo, units);
    pack_right_transposed(enter, in.enter, units, 3 * units);
    pack_right(enter, in.enter_back, 3 * units, units);
    pack_right(leave, in.leave_back, units, units);
    tiles_begin();
    for (int64_t first = last; first >= 0; first -= BACKWARD_ROWS) {
        int64_t count = b.rows - first < BACKWARD_ROWS ? b.rows - first : BACKWARD_ROWS, whole = whole_blocks(count);
        for (int64_t row = -halo; row < count; row++)
            norm_row(&b, first + row, (float *)inverse, 1, in.normed + (halo + row) * units);
        convolve_left(&b, in.normed + halo * units, in.u, count);
        of_branch_left(of_after + first * units, in.of_branch, first * units, count, units, dropout);
        transpose_left(in.u, in.u_across, whole, units);
        transpose_left(in.of_branch, in.of_branch_across, whole, units);
        for (int64_t panel = 0; panel < deep; panel++)
            unit_panel(&b, &in, panel, first, count, states, of_h, of_bias, first < last);
        if (first < last) memmove(in.of_u + BACKWARD_ROWS * units, in.of_u, (size_t)(halo * units) * sizeof(float));
        product(in.of_projected, 3 * deep, in.enter_back, 3 * deep, whole, units, 3 * units, in.of_u, units, 0);
        if (first == last) memset(in.of_u + count * units, 0, (size_t)((BACKWARD_ROWS + halo - count) * units) * sizeof(float));
        for (int64_t row = 0; row < count; row++) {
            int64_t here = (first + row) * units;
            convolve_row_backward(
                &b, in.of_u + row * units, in.normed + (halo + row) * units, in.of_normed, of_kernel);
            norm_row_backward(
                in.of_normed, x + here, inverse[first + row], gain, of_after + here, of_x + here, of_gain, units);
        }
    }
    tiles_end();
    for (int64_t panel = 0; panel < 3 * deep; panel++)
        transpose_floats(in.of_enter + panel * SIDE * units, of_enter + panel * SIDE * units, units, SIDE);
    panels_to_rows(in.of_leave, of_leave, units, units);
    if (of_before) of_before_of(&b, in.of_u, of_before);
}

#endif
