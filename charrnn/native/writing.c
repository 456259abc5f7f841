/* One character of one stream, as when text is generated: matrix-vector products straight from the weights, which may be
   others at every call, and the choice of the next character. */

#include <math.h>

#include "vectors.h"

#define AT_ONCE 4 /* rows, so that one's sum does not wait for another's */

/* Four rows of a matrix (…, columns) by a vector. */
INLINE void four_products(const float *weights, const float *x, int64_t columns, float products[AT_ONCE]) {
    vec sums[AT_ONCE] = {0};
    int64_t whole = columns - columns % LANES;
    for (int64_t at = 0; at < whole; at += LANES) {
        vec part = load(x + at);
        for (int row = 0; row < AT_ONCE; row++) sums[row] += load(weights + row * columns + at) * part;
    }
    for (int row = 0; row < AT_ONCE; row++) products[row] = sum(sums[row]);
    for (int64_t at = whole; at < columns; at++)
        for (int row = 0; row < AT_ONCE; row++) products[row] += weights[row * columns + at] * x[at];
}

INLINE float one_product(const float *weights, const float *x, int64_t columns) {
    vec sums = {0};
    int64_t whole = columns - columns % LANES;
    for (int64_t at = 0; at < whole; at += LANES) sums += load(weights + at) * load(x + at);
    float product = sum(sums);
    for (int64_t at = whole; at < columns; at++) product += weights[at] * x[at];
    return product;
}

/* y += W x, with W (rows, columns). */
static void add_product(const float *weights, const float *x, float *y, int64_t rows, int64_t columns) {
    int64_t row = 0;
    for (; row + AT_ONCE <= rows; row += AT_ONCE) {
        float products[AT_ONCE];
        four_products(weights + row * columns, x, columns, products);
        for (int one = 0; one < AT_ONCE; one++) y[row + one] += products[one];
    }
    for (; row < rows; row++) y[row] += one_product(weights + row * columns, x, columns);
}

/* y = W x + b, with W (rows, columns). */
KERNEL void affine(const float *weights, const float *bias, const float *x, float *y, int64_t rows, int64_t columns) {
    memcpy(y, bias, (size_t)rows * sizeof(float));
    add_product(weights, x, y, rows, columns);
}

/* One step of an LSTM layer, as in lstm.c: h and c (hidden,) are overwritten. The input is x (features,) or, where that is
   NULL, the one-hot vector of `symbol`. `gates` is room for 4 hidden numbers. */
KERNEL void lstm_step(
    const float *x, int64_t symbol, int64_t features, const float *w, const float *u, const float *b, const float *b_u,
    float *h, float *c, float *gates, int64_t hidden) {
    for (int64_t row = 0; row < 4 * hidden; row++) gates[row] = b[row] + b_u[row];
    if (x) {
        add_product(w, x, gates, 4 * hidden, features);
    } else {
        for (int64_t row = 0; row < 4 * hidden; row++) gates[row] += w[row * features + symbol];
    }
    add_product(u, h, gates, 4 * hidden, hidden);
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
