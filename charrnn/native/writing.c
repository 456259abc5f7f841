/* One character of one stream, as when text is generated: matrix-vector products straight from the weights, which may be
   others at every call, and the choice of the next character. */

#include <math.h>

#include "vectors.h"

#define EPSILON 1e-6f
#define AT_ONCE 4 /* rows, so that one's sum does not wait for another's */

/* sums[row] += a row of a matrix (…, columns) times x by lanes; what the lanes do not reach goes to rest[row]. */
INLINE void add_rows(
    const int rows, const float *weights, const float *x, int64_t columns, vec sums[AT_ONCE], float rest[AT_ONCE]) {
    int64_t whole = columns - columns % LANES;
    for (int64_t at = 0; at < whole; at += LANES) {
        vec part = load(x + at);
        for (int row = 0; row < rows; row++) sums[row] += load(weights + row * columns + at) * part;
    }
    for (int64_t at = whole; at < columns; at++)
        for (int row = 0; row < rows; row++) rest[row] += weights[row * columns + at] * x[at];
}

INLINE void add_products(
    const int rows, const float *w, const float *x, int64_t features, const float *u, const float *h, int64_t hidden,
    float *y) {
    vec sums[AT_ONCE] = {0};
    float rest[AT_ONCE] = {0};
    add_rows(rows, w, x, features, sums, rest);
    add_rows(rows, u, h, hidden, sums, rest);
    for (int row = 0; row < rows; row++) y[row] += sum(sums[row]) + rest[row];
}

/* y += W x + U h, with W (rows, features) and U (rows, hidden); either may have no columns. */
static void add_both(
    const float *w, const float *x, int64_t features, const float *u, const float *h, int64_t hidden, float *y,
    int64_t rows) {
    int64_t row = 0;
    for (; row + AT_ONCE <= rows; row += AT_ONCE)
        add_products(AT_ONCE, w + row * features, x, features, u + row * hidden, h, hidden, y + row);
    for (; row < rows; row++) add_products(1, w + row * features, x, features, u + row * hidden, h, hidden, y + row);
}

/* y = W x + b, with W (rows, columns). */
KERNEL void affine(const float *weights, const float *bias, const float *x, float *y, int64_t rows, int64_t columns) {
    memcpy(y, bias, (size_t)rows * sizeof(float));
    add_both(weights, x, columns, weights, x, 0, y, rows);
}

/* One step of an LSTM layer, as in lstm.c: h and c (hidden,) are overwritten. The input is x (features,) or, where that is
   NULL, the one-hot vector of `symbol`. `gates` is room for 4 hidden numbers. */
KERNEL void lstm_step(
    const float *x, int64_t symbol, int64_t features, const float *w, const float *u, const float *b, const float *b_u,
    float *h, float *c, float *gates, int64_t hidden) {
    for (int64_t row = 0; row < 4 * hidden; row++) gates[row] = b[row] + b_u[row];
    for (int64_t row = 0; !x && row < 4 * hidden; row++) gates[row] += w[row * features + symbol];
    add_both(w, x, x ? features : 0, u, h, hidden, gates, 4 * hidden);
    for (int64_t unit = 0; unit < hidden; unit += LANES) {
        int64_t count = hidden - unit;
        vec i = sigmoid_vec(load_some(gates + unit, count)), f = sigmoid_vec(load_some(gates + hidden + unit, count));
        vec g = tanh_vec(load_some(gates + 2 * hidden + unit, count));
        vec o = sigmoid_vec(load_some(gates + 3 * hidden + unit, count));
        vec cell = f * load_some(c + unit, count) + i * g;
        store_some(c + unit, cell, count);
        store_some(h + unit, o * tanh_vec(cell), count);
    }
}

/* normed = x gain / rms(x), of `units` numbers. */
static void norm(const float *x, const float *gain, float *normed, int64_t units) {
    vec squares = splat(0.0f);
    for (int64_t at = 0; at < units; at += LANES) {
        vec value = load_some(x + at, units - at);
        squares += value * value;
    }
    vec scale = splat(1.0f / sqrtf(sum(squares) / (float)units + EPSILON));
    for (int64_t at = 0; at < units; at += LANES)
        store_some(normed + at, load_some(x + at, units - at) * scale * load_some(gain + at, units - at), units - at);
}

/* One step of a gated block, as in gated_block.h: x (units,), h (units,) and kept (taps - 1, units), the normed inputs
   before, the oldest first, are overwritten. `room` is for 9 units numbers. */
KERNEL void mingru_step(
    float *x, float *h, float *kept, const float *gain, const float *kernel, const float *enter, const float *bias,
    const float *leave, const float *second_gain, const float *widen, const float *narrow, float *room, int64_t units,
    int64_t taps) {
    float *normed = room, *u = room + units, *wide = room + 2 * units, *last = kept + (taps - 2) * units;
    norm(x, gain, normed, units);
    for (int64_t at = 0; at < units; at += LANES) {
        vec total = load_some(normed + at, units - at) * load_some(kernel + at, units - at);
        for (int64_t j = 1; j < taps; j++)
            total += load_some(kept + (taps - 1 - j) * units + at, units - at) *
                     load_some(kernel + j * units + at, units - at);
        store_some(u + at, total, units - at);
    }
    memmove(kept, kept + units, (size_t)((taps - 2) * units) * sizeof(float));
    memcpy(last, normed, (size_t)units * sizeof(float));
    affine(enter, bias, u, wide, 3 * units, units);
    for (int64_t at = 0; at < units; at += LANES) {
        int64_t left = units - at;
        vec z = sigmoid_vec(load_some(wide + at, left)), g = load_some(wide + 2 * units + at, left);
        vec held = load_some(h + at, left);
        held += z * (load_some(wide + units + at, left) - held);
        store_some(h + at, held, left);
        store_some(u + at, held * g * sigmoid_vec(g), left);
    }
    add_both(leave, u, units, leave, u, 0, x, units);
    norm(x, second_gain, normed, units);
    memset(wide, 0, (size_t)(4 * units) * sizeof(float));
    add_both(widen, normed, units, widen, normed, 0, wide, 4 * units);
    for (int64_t at = 0; at < 4 * units; at += LANES) {
        vec value = load_some(wide + at, 4 * units - at);
        value = choose(value < splat(0.0f), splat(0.0f), value);
        store_some(wide + at, value * value, 4 * units - at);
    }
    add_both(narrow, wide, 4 * units, narrow, wide, 0, x, units);
}

/* y = W norm(x) + b, with W (rows, columns); `room` is for as many numbers as there are columns. */
KERNEL void norm_affine(
    const float *gain, const float *weights, const float *bias, const float *x, float *y, float *room, int64_t rows,
    int64_t columns) {
    norm(x, gain, room, columns);
    affine(weights, bias, room, y, rows, columns);
}

/* Whether all numbers are finite: x - x is 0 for those alone. */
KERNEL int64_t all_finite(const float *x, int64_t count) {
    int64_t others = 0;
    for (int64_t at = 0; at < count; at++) others += x[at] - x[at] != 0.0f;
    return others == 0;
}

/* A symbol drawn with the chances softmax(logits / temperature), of which those below min_p times the highest are left
   out. `noise` holds a number from the exponential distribution for each symbol: the one whose chance divided by its
   noise is the highest is drawn. `chances` takes the chances. The logits are finite. */
KERNEL int64_t pick(
    const float *logits, const double *noise, double *chances, int64_t symbols, double temperature, double min_p) {
    float highest = logits[0];
    for (int64_t at = 0; at < symbols; at++) highest = logits[at] > highest ? logits[at] : highest;
    double total = 0;
    for (int64_t at = 0; at < symbols; at++) {
        double chance = exp(((double)logits[at] - (double)highest) / temperature); /* the highest is 1 */
        chances[at] = chance < min_p ? 0 : chance;
        total += chances[at];
    }
    int64_t chosen = 0;
    double best = -1;
    for (int64_t at = 0; at < symbols; at++) {
        chances[at] /= total;
        double score = chances[at] / noise[at];
        if (score > best) {
            best = score;
            chosen = at;
        }
    }
    return chosen;
}
