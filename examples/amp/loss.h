/**
 * @file
 * The loss of Wright and others ("Real-time guitar amplifier emulation with deep
 * learning", 2020), with the constants of their program.
 *
 * For outputs y and targets t of T steps in N rows, and the pre-emphasis
 * p(s)[i] = s[i] - 0.85 s[i - 1], where s[-1] is 0:
 *
 *     esr  = mean((p(t) - p(y))^2) / (mean(p(t)^2) + 1e-5)
 *     dc   = mean over rows of (mean(t) - mean(y))^2 / (mean(t^2) + 1e-5)
 *     loss = 0.75 esr + 0.25 dc
 *
 * Sums are in double, in the order of the steps.
 */
#ifndef EXAMPLES_AMP_LOSS_H
#define EXAMPLES_AMP_LOSS_H

#include <stddef.h>

/**
 * Computes the loss.
 *
 * @param y [T, N] outputs
 * @param t [T, N] targets
 * @param[out] dy [T, N] gradient of the loss with respect to y; NULL: not wanted
 * @param means [N], overwritten
 */
double loss_compute(const float *y, const float *t, size_t steps, size_t rows,
                    float *dy, double *means);

/** The error-to-signal ratio itself: sum (t - y)^2 / sum t^2. */
double loss_esr(const float *y, const float *t, size_t count);

/** The ratio for the best multiple of x as y: what a volume knob reaches. */
double loss_esr_of_gain(const float *x, const float *t, size_t count);

#endif
