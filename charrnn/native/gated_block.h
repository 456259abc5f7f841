/* The element-wise half of a gated recurrent block, for activations of one type: this file is included once for each.

   ACTIVATION is that type, NAMED(name) the functions' names, LOAD and STORE read and write up to LANES numbers of it. What
   is added up (states, gradients of weights, the residual stream) is float32 whatever ACTIVATION is.

   Rows are characters in the order time, stream; shapes are row-major. */

/* Root-mean-square normalisation, then a causal convolution of each unit over the last `taps` characters:
       normed = x gain / rms(x),  convolved[t] = sum over j of kernel[j] normed[t - j]
   x (time, streams, units); gain (units); kernel (taps, units); `before` (streams, taps - 1, units), the normed inputs
   before the portion, oldest first, or NULL for zeros; `after` likewise, those at its end; inverse (time, streams) is
   1 / rms. With taps of 1 there is no convolution and kernel, before, after and convolved are not touched. */
KERNEL void NAMED(norm_forward)(
    const float *x, const float *gain, const float *kernel, const float *before, float *after, ACTIVATION *normed,
    ACTIVATION *convolved, float *inverse, int64_t time, int64_t streams, int64_t units, int64_t taps) {
    int64_t rows = time * streams, kept = taps - 1;
    for (int64_t row = 0; row < rows; row++) {
        const float *from = x + row * units;
        ACTIVATION *to = normed + row * units;
        vec squares = splat(0.0f);
        for (int64_t at = 0; at < units; at += LANES) {
            vec value = load_some(from + at, units - at);
            squares += value * value;
        }
        float scale = 1.0f / sqrtf(sum(squares) / (float)units + EPSILON);
        inverse[row] = scale;
        for (int64_t at = 0; at < units; at += LANES)
            STORE(to + at, load_some(from + at, units - at) * splat(scale) * load_some(gain + at, units - at), units - at);
        if (!kept) continue;
        int64_t t = row / streams, stream = row % streams;
        for (int64_t at = 0; at < units; at += LANES) {
            vec total = LOAD(to + at, units - at) * load_some(kernel + at, units - at);
            for (int64_t j = 1; j <= kept; j++) {
                vec tap = load_some(kernel + j * units + at, units - at);
                if (j <= t) {
                    total += tap * LOAD(to + at - j * streams * units, units - at);
                } else if (before) {
                    total += tap * load_some(before + (stream * kept + kept + t - j) * units + at, units - at);
                }
            }
            STORE(convolved + row * units + at, total, units - at);
        }
    }
    for (int64_t stream = 0; stream < streams; stream++) {
        for (int64_t j = 0; j < kept; j++) {
            int64_t t = time - kept + j;
            float *to = after + (stream * kept + j) * units;
            for (int64_t at = 0; at < units; at += LANES) {
                vec value = splat(0.0f);
                if (t >= 0) {
                    value = LOAD(normed + (t * streams + stream) * units + at, units - at);
                } else if (before) {
                    value = load_some(before + (stream * kept + kept + t) * units + at, units - at);
                }
                store_some(to + at, value, units - at);
            }
        }
    }
}

/* Backward of that, added to `of_sum`, the gradient that went past it on the residual stream; of_x is where it goes.
   of_gain and of_kernel are added to; of_before (streams, taps - 1, units), if it is not NULL, is overwritten; it is the
   gradient of `before`. scratch has room for `units` floats. */
KERNEL void NAMED(norm_backward)(
    const ACTIVATION *of_convolved, const float *of_sum, const float *x, const float *inverse, const ACTIVATION *normed,
    const float *gain, const float *kernel, const float *before, float *of_x, float *of_gain, float *of_kernel,
    float *of_before, float *scratch, int64_t time, int64_t streams, int64_t units, int64_t taps) {
    int64_t rows = time * streams, kept = taps - 1, stride = streams * units;
    for (int64_t row = 0; row < rows; row++) {
        int64_t t = row / streams, stream = row % streams;
        const ACTIVATION *of = of_convolved + row * units;
        const float *from = x + row * units;
        vec scale = splat(inverse[row]), sums = splat(0.0f);
        for (int64_t at = 0; at < units; at += LANES) {
            int64_t left = units - at;
            vec of_here = LOAD(of + at, left), of_normed = of_here;
            if (kept) {
                float *weights = of_kernel + at;
                of_normed *= load_some(kernel + at, left);
                store_some(weights, load_some(weights, left) + of_here * LOAD(normed + row * units + at, left), left);
                for (int64_t j = 1; j <= kept; j++) {
                    if (t + j < time) of_normed += load_some(kernel + j * units + at, left) * LOAD(of + at + j * stride, left);
                    weights += units;
                    vec input = splat(0.0f);
                    if (j <= t) {
                        input = LOAD(normed + row * units + at - j * stride, left);
                    } else if (before) {
                        input = load_some(before + (stream * kept + kept + t - j) * units + at, left);
                    }
                    store_some(weights, load_some(weights, left) + of_here * input, left);
                }
            }
            vec unit = load_some(from + at, left) * scale;
            store_some(of_gain + at, load_some(of_gain + at, left) + of_normed * unit, left);
            of_normed *= load_some(gain + at, left);
            sums += of_normed * unit;
            store_some(scratch + at, of_normed, left);
        }
        vec mean = splat(sum(sums) / (float)units);
        for (int64_t at = 0; at < units; at += LANES) {
            int64_t left = units - at;
            vec unit = load_some(from + at, left) * scale;
            vec past = load_some(of_sum + row * units + at, left);
            store_some(of_x + row * units + at, past + scale * (load_some(scratch + at, left) - unit * mean), left);
        }
    }
    if (!of_before) return;
    for (int64_t stream = 0; stream < streams; stream++) {
        for (int64_t i = 0; i < kept; i++) {
            for (int64_t at = 0; at < units; at += LANES) {
                vec total = splat(0.0f);
                for (int64_t t = 0; t <= i && t < time; t++)
                    total += load_some(kernel + (kept + t - i) * units + at, units - at) *
                             LOAD(of_convolved + (t * streams + stream) * units + at, units - at);
                store_some(of_before + (stream * kept + i) * units + at, total, units - at);
            }
        }
    }
}

/* The recurrence and its gates: with (a, c, g) = projected + bias,
       z = sigmoid(a),  h <- h + z (c - h),  gated = h g sigmoid(g)
   projected (time, streams, 3 units); bias (3 units); h0 (streams, units) or NULL for zeros; states (time, streams,
   units); gated (time, streams, units). */
KERNEL void NAMED(mingru_forward)(
    const ACTIVATION *projected, const float *bias, const float *h0, float *states, ACTIVATION *gated, int64_t time,
    int64_t streams, int64_t units) {
    const float *held = h0;
    for (int64_t t = 0; t < time; t++) {
        for (int64_t stream = 0; stream < streams; stream++) {
            int64_t row = t * streams + stream;
            const ACTIVATION *from = projected + row * 3 * units;
            for (int64_t at = 0; at < units; at += LANES) {
                int64_t left = units - at;
                vec z = sigmoid_vec(LOAD(from + at, left) + load_some(bias + at, left));
                vec c = LOAD(from + units + at, left) + load_some(bias + units + at, left);
                vec g = LOAD(from + 2 * units + at, left) + load_some(bias + 2 * units + at, left);
                vec h = held ? load_some(held + stream * units + at, left) : splat(0.0f);
                h += z * (c - h);
                store_some(states + row * units + at, h, left);
                STORE(gated + row * units + at, h * g * sigmoid_vec(g), left);
            }
        }
        held = states + t * streams * units;
    }
}

/* Backward of that. of_h (streams, units) is the gradient of the last state and becomes that of h0; of_bias is added to. */
KERNEL void NAMED(mingru_backward)(
    const ACTIVATION *of_gated, const ACTIVATION *projected, const float *bias, const float *h0, const float *states,
    float *of_h, ACTIVATION *of_projected, float *of_bias, int64_t time, int64_t streams, int64_t units) {
    for (int64_t t = time - 1; t >= 0; t--) {
        const float *held = t ? states + (t - 1) * streams * units : h0;
        for (int64_t stream = 0; stream < streams; stream++) {
            int64_t row = t * streams + stream;
            const ACTIVATION *from = projected + row * 3 * units;
            ACTIVATION *to = of_projected + row * 3 * units;
            for (int64_t at = 0; at < units; at += LANES) {
                int64_t left = units - at;
                vec z = sigmoid_vec(LOAD(from + at, left) + load_some(bias + at, left));
                vec c = LOAD(from + units + at, left) + load_some(bias + units + at, left);
                vec g = LOAD(from + 2 * units + at, left) + load_some(bias + 2 * units + at, left);
                vec open = sigmoid_vec(g);
                vec of = LOAD(of_gated + row * units + at, left);
                vec h = held ? load_some(held + stream * units + at, left) : splat(0.0f);
                vec of_g = of * load_some(states + row * units + at, left) * open * (splat(1.0f) + g * (splat(1.0f) - open));
                vec of_state = load_some(of_h + stream * units + at, left) + of * g * open;
                vec of_c = of_state * z;
                vec of_a = of_state * (c - h) * z * (splat(1.0f) - z);
                store_some(of_h + stream * units + at, of_state * (splat(1.0f) - z), left);
                STORE(to + at, of_a, left);
                STORE(to + units + at, of_c, left);
                STORE(to + 2 * units + at, of_g, left);
                store_some(of_bias + at, load_some(of_bias + at, left) + of_a, left);
                store_some(of_bias + units + at, load_some(of_bias + units + at, left) + of_c, left);
                store_some(of_bias + 2 * units + at, load_some(of_bias + 2 * units + at, left) + of_g, left);
            }
        }
    }
}

/* relu(x) squared, and its backward: of_x = of_y 2 relu(x). */
KERNEL void NAMED(squared_relu_forward)(const ACTIVATION *x, ACTIVATION *y, int64_t count) {
    for (int64_t at = 0; at < count; at += LANES) {
        vec value = LOAD(x + at, count - at);
        value = choose(value < splat(0.0f), splat(0.0f), value);
        STORE(y + at, value * value, count - at);
    }
}

KERNEL void NAMED(squared_relu_backward)(const ACTIVATION *of_y, const ACTIVATION *x, ACTIVATION *of_x, int64_t count) {
    for (int64_t at = 0; at < count; at += LANES) {
        vec value = LOAD(x + at, count - at);
        value = choose(value < splat(0.0f), splat(0.0f), value);
        STORE(of_x + at, (value + value) * LOAD(of_y + at, count - at), count - at);
    }
}

/* sum = x + dropped(branch), where each number of the branch is zero or multiplied by `scale`: it is zero where the
   seed's hash of its place is below `limit`, which is the probability in units of 2^-32. The backward makes
   of_branch = dropped(of_sum) with the same places. */
KERNEL void NAMED(add_dropped_forward)(
    const float *x, const ACTIVATION *branch, float *sum_of_both, int64_t count, uint32_t seed, uint32_t limit, float scale) {
    for (int64_t at = 0; at < count; at += LANES) {
        vec value = LOAD(branch + at, count - at);
        if (limit) value = dropped(value, at, seed, limit, scale);
        store_some(sum_of_both + at, load_some(x + at, count - at) + value, count - at);
    }
}

KERNEL void NAMED(add_dropped_backward)(
    const float *of_sum, ACTIVATION *of_branch, int64_t count, uint32_t seed, uint32_t limit, float scale) {
    for (int64_t at = 0; at < count; at += LANES) {
        vec value = load_some(of_sum + at, count - at);
        if (limit) value = dropped(value, at, seed, limit, scale);
        STORE(of_branch + at, value, count - at);
    }
}
