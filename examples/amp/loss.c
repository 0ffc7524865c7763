#include "examples/amp/loss.h"

static const double emphasis = 0.85, esr_share = 0.75, dc_share = 0.25, epsilon = 1e-5;

/* The pre-emphasis of values at index k; those of the step before are rows earlier. */
static double filter(const float *values, size_t k, size_t rows)
{
    return (double)values[k] - (k < rows ? 0 : emphasis * (double)values[k - rows]);
}

/* p(y) - p(t). */
static double filtered_error(const float *y, const float *t, size_t k, size_t rows)
{
    return filter(y, k, rows) - filter(t, k, rows);
}

static double square(double value)
{
    return value * value;
}

double loss_compute(const float *y, const float *t, size_t steps, size_t rows,
                    float *dy, double *means)
{
    size_t count = steps * rows;
    double errors = 0, filtered = 0, energy = 0, squares = 0, total = (double)count;
    for (size_t n = 0; n < rows; n++)
        means[n] = 0;
    for (size_t k = 0; k < count; k++) {
        errors += square(filtered_error(y, t, k, rows));
        filtered += square(filter(t, k, rows));
        energy += square((double)t[k]);
        means[k % rows] += ((double)y[k] - (double)t[k]) / (double)steps;
    }
    double esr_scale = 1 / (filtered + epsilon * total);
    double dc_scale = 1 / ((energy / total + epsilon) * (double)rows);
    for (size_t n = 0; n < rows; n++)
        squares += square(means[n]);
    for (size_t k = 0; dy && k < count; k++) {
        double next = k + rows < count ? filtered_error(y, t, k + rows, rows) : 0;
        double error = filtered_error(y, t, k, rows) - emphasis * next;
        dy[k] = (float)(2 * esr_share * esr_scale * error +
                        2 * dc_share * dc_scale * means[k % rows] / (double)steps);
    }
    return esr_share * errors * esr_scale + dc_share * squares * dc_scale;
}

double loss_esr(const float *y, const float *t, size_t count)
{
    double errors = 0, energy = 0;
    for (size_t k = 0; k < count; k++) {
        errors += square((double)y[k] - (double)t[k]);
        energy += square((double)t[k]);
    }
    return errors / energy;
}

double loss_esr_of_gain(const float *x, const float *t, size_t count)
{
    double product = 0, input = 0, energy = 0;
    for (size_t k = 0; k < count; k++) {
        product += (double)x[k] * (double)t[k];
        input += square((double)x[k]);
        energy += square((double)t[k]);
    }
    return input > 0 ? 1 - square(product) / (input * energy) : 1;
}
