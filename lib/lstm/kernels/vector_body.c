/*
 * Kernels over arrays: optimiser step, norm, scaling.
 *
 * These are plain loops, which the compiler vectorises with the flags of each
 * instruction set. It fuses multiply-adds only where fmaf() says so
 * (-ffp-contract=off), and sums have a fixed order, so every set gives the same bits.
 */
#include <math.h>
#include <stdbool.h>

#include "lib/lstm/kernels/body.h"

/*
 * Adam (Kingma and Ba, 2015) in the operations of PyTorch's CPU path, fused where its
 * vector code fuses them: p *= shrink; g += decay p; m += (1 - beta1)(g - m); v = beta2
 * v + (1 - beta2) g g; p -= step_size m / (root_factor sqrt(v) + eps) PyTorch divides
 * the root by the bias correction. Multiplication by the reciprocal rounds as often,
 * and a step on data in the cache takes two thirds of the time. As in PyTorch, m is
 * interpolated from the other end when 1 - beta1 is 0.5 or more.
 */
static inline void BODY(adam_loop)(size_t count, float *restrict p, float *restrict m,
                                   float *restrict v, float *restrict largest,
                                   const float *restrict g,
                                   const lstm_adam_coefficients *coefficients)
{
    const lstm_adam_coefficients k = *coefficients;
    const bool from_end = k.one_minus_beta1 >= 0.5f;
    const float weight = from_end ? k.one_minus_beta1 - 1 : k.one_minus_beta1;
    for (size_t i = 0; i < count; i++) {
        float value = p[i] * k.shrink;
        float gradient = k.sign * g[i];
        if (k.decay != 0)
            gradient = fmaf(value, k.decay, gradient);
        m[i] = fmaf(weight, gradient - m[i], from_end ? gradient : m[i]);
        v[i] = fmaf(k.one_minus_beta2 * gradient, gradient, v[i] * k.beta2);
        float second = v[i];
        if (largest) {
            /* NaN stays NaN. */
            second =
                largest[i] >= second || largest[i] != largest[i] ? largest[i] : second;
            largest[i] = second;
        }
        float root = fmaf(sqrtf(second), k.root_factor, k.eps);
        p[i] = value + -k.step_size * m[i] / root;
    }
}

static void BODY(adam_step)(size_t count, float *p, float *m, float *v, float *largest,
                            const float *g, const lstm_adam_coefficients *coefficients)
{
    if (largest)
        BODY(adam_loop)(count, p, m, v, largest, g, coefficients);
    else
        BODY(adam_loop)(count, p, m, v, NULL, g, coefficients);
}

static double BODY(sum_squares)(size_t count, const float *x)
{
    /* Element i is in chain i mod 16, and a tree adds the chains. Vectors of any width
     * up to 16 can compute this. */
    enum { CHAINS = 16 };
    double sums[CHAINS] = {0};
    size_t whole = count / CHAINS * CHAINS;
    for (size_t i = 0; i < whole; i += CHAINS)
        for (size_t j = 0; j < CHAINS; j++)
            sums[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t i = whole; i < count; i++)
        sums[i - whole] += (double)x[i] * (double)x[i];
    for (size_t width = CHAINS / 2; width > 0; width /= 2)
        for (size_t j = 0; j < width; j++)
            sums[j] += sums[j + width];
    return sums[0];
}

static void BODY(scale)(size_t count, float *x, float factor)
{
    for (size_t i = 0; i < count; i++)
        x[i] *= factor;
}
