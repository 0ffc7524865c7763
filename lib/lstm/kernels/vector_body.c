/*
 * Kernels over whole vectors: optimiser step, norm, scaling.
 *
 * Plain loops that the compiler turns into vector code with the flags of each
 * instruction set. No operation is contracted (-ffp-contract=off) and sums have a fixed
 * shape, so every set gives the same bits. The file is included by each set's own
 * source, which defines BODY(name).
 */
#include <math.h>

#include "lib/lstm/kernels/kernels.h"

/*
 * Adam (Kingma and Ba, 2015) in PyTorch's order of operations:
 *   p *= shrink; g += decay p; m += (1 - beta1)(g - m); v = beta2 v + (1 - beta2) g g;
 *   p -= step_size m / (sqrt(v) / bias_correction + eps)
 */
static void BODY(adam_step)(size_t count, float *restrict p, float *restrict m,
                            float *restrict v, const float *restrict g,
                            const lstm_adam_step_coefficients *coefficients)
{
    const lstm_adam_step_coefficients k = *coefficients;
    for (size_t i = 0; i < count; i++) {
        float value = p[i] * k.shrink;
        float gradient = g[i] + k.decay * value;
        m[i] = m[i] + k.one_minus_beta1 * (gradient - m[i]);
        v[i] = k.beta2 * v[i] + k.one_minus_beta2 * gradient * gradient;
        float root = sqrtf(v[i]) / k.bias_correction + k.eps;
        p[i] = value - k.step_size * (m[i] / root);
    }
}

static double BODY(sum_squares)(size_t count, const float *x)
{
    /* Sixteen chains, element i in chain i mod 16, then a tree: what vectors of any
     * width up to 16 can do. */
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
