/* Softmax and cross-entropy of rows of logits, with the gradient, in one pass over them. */

#include <math.h>

#include "vectors.h"

/* Adds up log(sum(exp(logits))) - logits[target] of each row of (rows, symbols), and writes
   scale * (softmax(logits) - onehot(target)), which may go over the logits themselves. A target below 0 is left out: no
   loss, a zero gradient. A row that is not finite makes the sum and its gradients NaN. -1 says that a target is none of
   the symbols. */
KERNEL double cross_entropy(
    const float *logits, const int64_t *targets, float *gradients, int64_t rows, int64_t symbols, float scale) {
    double total = 0;
    for (int64_t row = 0; row < rows; row++) {
        const float *from = logits + row * symbols;
        float *to = gradients + row * symbols;
        int64_t target = targets[row];
        if (target < 0) {
            memset(to, 0, (size_t)symbols * sizeof(float));
            continue;
        }
        if (target >= symbols) return -1;
        int64_t whole = symbols - symbols % LANES;
        float highest = from[0];
        if (whole) {
            vec most = load(from);
            for (int64_t at = LANES; at < whole; at += LANES) {
                vec x = load(from + at);
                most = choose(x > most, x, most);
            }
            for (int lane = 0; lane < LANES; lane++) highest = most[lane] > highest ? most[lane] : highest;
        }
        for (int64_t at = whole; at < symbols; at++) highest = from[at] > highest ? from[at] : highest;
        float score = from[target];
        vec sums = splat(0.0f);
        for (int64_t at = 0; at < whole; at += LANES) {
            vec e = exp_vec(load(from + at) - splat(highest));
            sums += e;
            store(to + at, e);
        }
        float all = sum(sums);
        if (whole < symbols) {
            vec e = exp_vec(load_some(from + whole, symbols - whole) - splat(highest));
            store_some(to + whole, e, symbols - whole);
            for (int64_t at = whole; at < symbols; at++) all += to[at];
        }
        total += (double)(logf(all) + (highest - score));
        float factor = scale / all;
        for (int64_t at = 0; at < whole; at += LANES) store(to + at, load(to + at) * splat(factor));
        for (int64_t at = whole; at < symbols; at++) to[at] *= factor;
        to[target] -= scale;
    }
    return total;
}
