/* Long short-term memory over a whole portion, forward and backward in time.

   For each character of each stream, with the gates in the order i, f, g, o:
       i, f, o = sigmoid(projected + U h), g = tanh(projected + U h), c <- f c + i g, h <- o tanh(c)
   `projected`, the input's share W x + b, was made before for all characters at once. What is left is a chain of small
   matrix products, h (streams, hidden) with U (4 hidden, hidden), whose results go through the gates while they are
   still in registers. U is packed so that each product reads it in a straight line: a panel holds what LANES hidden
   units need.

   Shapes, row-major: gates (time, streams, 4 hidden); outputs and cells (time, streams, hidden); state (streams, hidden).
   Each function works on the streams from `first` to before `last`, so that threads can share a portion. */

#include "vectors.h"

/* Streams in a tile: their accumulators, four vectors each, must fit into the registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define ROWS 6
#elif defined(__AVX__)
#define ROWS 3
#else
#define ROWS 2
#endif
#define WIDE 4 /* vectors beside each other in a tile: the four gates, or four times LANES units */

INLINE int64_t panels_of(int64_t hidden) { return (hidden + LANES - 1) / LANES; }
INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* How many floats either form of packed weights takes. */
KERNEL int64_t lstm_packed_size(int64_t hidden) {
    int64_t wide = (panels_of(hidden) + WIDE - 1) / WIDE * WIDE;
    return wide * LANES * 4 * hidden;
}

/* For the way forward: packed[panel][k][gate][lane] = U[gate hidden + unit][k]. */
KERNEL void lstm_pack_forward(const float *weights, float *packed, int64_t hidden) {
    const int64_t block = 64; /* of k, so that what is written stays in the first cache */
    for (int64_t panel = 0; panel < panels_of(hidden); panel++) {
        float *to = packed + panel * hidden * WIDE * LANES;
        for (int64_t begin = 0; begin < hidden; begin += block) {
            int64_t end = least(hidden, begin + block);
            for (int64_t gate = 0; gate < WIDE; gate++) {
                for (int64_t lane = 0; lane < LANES; lane++) {
                    int64_t unit = panel * LANES + lane;
                    const float *from = weights + (gate * hidden + unit) * hidden;
                    float *at = to + gate * LANES + lane;
                    for (int64_t k = begin; k < end; k++) at[k * WIDE * LANES] = unit < hidden ? from[k] : 0.0f;
                }
            }
        }
    }
}

/* For the way back: packed[panel][k][lane] = U[k][unit], with panels WIDE vectors wide. */
KERNEL void lstm_pack_backward(const float *weights, float *packed, int64_t hidden) {
    const int64_t width = WIDE * LANES;
    for (int64_t first = 0; first < hidden; first += width) {
        int64_t count = least(width, hidden - first);
        for (int64_t k = 0; k < 4 * hidden; k++) {
            memcpy(packed, weights + k * hidden + first, (size_t)count * sizeof(float));
            memset(packed + count, 0, (size_t)(width - count) * sizeof(float));
            packed += width;
        }
    }
}

/* sums[row][vector] = sum over k of left[row][k] panel[k][vector]; `rows` is known when this is compiled. */
INLINE void multiply(
    const int rows, const float *left, int64_t stride, const float *panel, int64_t depth, vec sums[ROWS][WIDE]) {
    vec held[ROWS][WIDE];
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < WIDE; v++) held[row][v] = splat(0.0f);
    for (int64_t k = 0; k < depth; k++, panel += WIDE * LANES) {
        vec w[WIDE];
        for (int v = 0; v < WIDE; v++) w[v] = load(panel + v * LANES);
        for (int row = 0; row < rows; row++) {
            vec x = splat(left[row * stride + k]);
            for (int v = 0; v < WIDE; v++) held[row][v] += x * w[v];
        }
    }
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < WIDE; v++) sums[row][v] = held[row][v];
}

static void product(
    int64_t rows, const float *left, int64_t stride, const float *panel, int64_t depth, vec sums[ROWS][WIDE]) {
    switch (rows) {
    case 1: multiply(1, left, stride, panel, depth, sums); break;
    case 2: multiply(2, left, stride, panel, depth, sums); break;
#if ROWS >= 3
    case 3: multiply(3, left, stride, panel, depth, sums); break;
#endif
#if ROWS >= 6
    case 4: multiply(4, left, stride, panel, depth, sums); break;
    case 5: multiply(5, left, stride, panel, depth, sums); break;
    case 6: multiply(6, left, stride, panel, depth, sums); break;
#endif
    }
}

/* One step of one stream for the units of one panel. */
INLINE void forward_units(
    const vec sums[WIDE], const float *projected, const float *cell_before, float *cell, float *output, float *gates,
    int64_t hidden, int64_t count) {
    vec i = sigmoid_vec(sums[0] + load_some(projected, count));
    vec f = sigmoid_vec(sums[1] + load_some(projected + hidden, count));
    vec g = tanh_vec(sums[2] + load_some(projected + 2 * hidden, count));
    vec o = sigmoid_vec(sums[3] + load_some(projected + 3 * hidden, count));
    vec c = f * load_some(cell_before, count) + i * g;
    store_some(cell, c, count);
    store_some(output, o * tanh_vec(c), count);
    if (gates) {
        store_some(gates, i, count);
        store_some(gates + hidden, f, count);
        store_some(gates + 2 * hidden, g, count);
        store_some(gates + 3 * hidden, o, count);
    }
}

/* `projected` holds a row of 4 hidden for each character (time, streams), or for each symbol where `ids` (time, streams)
   are given. `gates` may be NULL when nothing will go backward: `cells` is then one step (streams, hidden), overwritten.
   0, or -1 if an id is none of the `symbols`, and then nothing was computed. */
KERNEL int64_t lstm_forward(
    const float *projected, const int64_t *ids, int64_t symbols, const float *packed, const float *output_before,
    const float *cell_before, float *outputs, float *cells, float *gates, int64_t time, int64_t streams, int64_t hidden,
    int64_t first, int64_t last) {
    for (int64_t at = 0; ids && at < time * streams; at++)
        if (ids[at] < 0 || ids[at] >= symbols) return -1;
    int64_t panels = panels_of(hidden), step = streams * hidden;
    for (int64_t t = 0; t < time; t++) {
        const float *before = t ? outputs + (t - 1) * step : output_before;
        float *cell = gates ? cells + t * step : cells;
        const float *c = t ? (gates ? cell - step : cell) : cell_before;
        for (int64_t turn = 0; turn < panels; turn++) {
            int64_t panel = t % 2 ? panels - 1 - turn : turn; /* to and fro: the newest in the cache comes first */
            int64_t unit = panel * LANES, count = hidden - unit;
            for (int64_t row = first; row < last; row += ROWS) {
                vec sums[ROWS][WIDE];
                int64_t rows = least(ROWS, last - row);
                product(rows, before + row * hidden, hidden, packed + panel * hidden * WIDE * LANES, hidden, sums);
                for (int64_t r = 0; r < rows; r++) {
                    int64_t token = t * streams + row + r, at = (row + r) * hidden + unit;
                    const float *from = projected + (ids ? ids[token] : token) * 4 * hidden + unit;
                    float *to = gates ? gates + token * 4 * hidden + unit : 0;
                    forward_units(sums[r], from, c + at, cell + at, outputs + t * step + at, to, hidden, count);
                }
            }
        }
    }
    return 0;
}

/* The gradient for one stream's gates before their nonlinearities, LANES units; `of_cell` goes one step back in time. */
INLINE void backward_units(
    vec of_output, const float *gates, const float *cell_before, const float *cell, float *of_cell, float *of_gates,
    int64_t hidden, int64_t count) {
    const vec one = splat(1.0f);
    vec i = load_some(gates, count), f = load_some(gates + hidden, count);
    vec g = load_some(gates + 2 * hidden, count), o = load_some(gates + 3 * hidden, count);
    vec squashed = tanh_vec(load_some(cell, count));
    vec of_c = load_some(of_cell, count) + of_output * o * (one - squashed * squashed);
    store_some(of_cell, of_c * f, count);
    store_some(of_gates, of_c * g * i * (one - i), count);
    store_some(of_gates + hidden, of_c * load_some(cell_before, count) * f * (one - f), count);
    store_some(of_gates + 2 * hidden, of_c * i * (one - g * g), count);
    store_some(of_gates + 3 * hidden, of_output * squashed * o * (one - o), count);
}

/* Gradients back through time. `of_outputs` (time, streams, hidden) and `of_last_output` (streams, hidden) may be NULL
   for zeros. `of_cell` (streams, hidden) holds the gradient of the last cells and, afterwards, of those before the
   portion; `of_output_before`, where not NULL, takes that of the outputs before it. `of_gates` takes the gradients of
   the gates before their nonlinearities, and `of_table` (symbols, 4 hidden), where not NULL, has them added by `ids`. */
KERNEL void lstm_backward(
    const float *of_outputs, const float *of_last_output, const float *packed, const float *gates, const float *cells,
    const float *cell_before, const int64_t *ids, float *of_cell, float *of_gates, float *of_table,
    float *of_output_before, int64_t time, int64_t streams, int64_t hidden, int64_t first, int64_t last) {
    const int64_t width = WIDE * LANES;
    int64_t panels = (hidden + width - 1) / width, step = streams * hidden;
    for (int64_t t = time - 1; t >= (of_output_before ? -1 : 0); t--) {
        const float *after = of_gates + (t + 1) * 4 * step;
        for (int64_t turn = 0; turn < panels; turn++) {
            int64_t panel = t % 2 ? panels - 1 - turn : turn;
            int64_t units = panel * width;
            for (int64_t row = first; row < last; row += ROWS) {
                vec sums[ROWS][WIDE] = {0};
                int64_t rows = least(ROWS, last - row);
                if (t + 1 < time)
                    product(
                        rows, after + row * 4 * hidden, 4 * hidden, packed + panel * 4 * hidden * width, 4 * hidden, sums);
                for (int64_t r = 0; r < rows; r++) {
                    for (int64_t v = 0; v < WIDE && units + v * LANES < hidden; v++) {
                        int64_t unit = units + v * LANES, count = hidden - unit, at = (row + r) * hidden + unit;
                        vec of_output = sums[r][v];
                        if (t + 1 == time && of_last_output) of_output += load_some(of_last_output + at, count);
                        if (t < 0) {
                            store_some(of_output_before + at, of_output, count);
                            continue;
                        }
                        if (of_outputs) of_output += load_some(of_outputs + t * step + at, count);
                        const float *cell = cells + t * step + at;
                        int64_t gate = (t * streams + row + r) * 4 * hidden + unit;
                        backward_units(
                            of_output, gates + gate, t ? cell - step : cell_before + at, cell, of_cell + at,
                            of_gates + gate, hidden, count);
                    }
                }
            }
        }
        for (int64_t row = first; of_table && t >= 0 && row < last; row++) {
            float *restrict to = of_table + ids[t * streams + row] * 4 * hidden;
            const float *restrict from = of_gates + (t * streams + row) * 4 * hidden;
            for (int64_t at = 0; at < 4 * hidden; at++) to[at] += from[at];
        }
    }
}
