/* The vector functions by themselves, for the tests: how far they are from the truth, and what NaN becomes. */

#include "vectors.h"

KERNEL void activations(const float *x, float *tanh_of, float *sigmoid_of, float *exp_of, int64_t count) {
    for (int64_t at = 0; at < count; at += LANES) {
        vec v = load_some(x + at, count - at);
        store_some(tanh_of + at, tanh_vec(v), count - at);
        store_some(sigmoid_of + at, sigmoid_vec(v), count - at);
        store_some(exp_of + at, exp_vec(v), count - at);
    }
}
