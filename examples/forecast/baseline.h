/**
 * @file
 * Simple predictions to compare a network with.
 */
#ifndef EXAMPLES_FORECAST_BASELINE_H
#define EXAMPLES_FORECAST_BASELINE_H

#include <stddef.h>

/**
 * The number of values after which a series repeats best.
 *
 * @param values [count] the training values
 * @return the shortest season whose error is nearly the smallest; 0 if none is better
 *         than the previous value
 */
size_t baseline_season(const double *values, size_t count);

/** Root mean squared error of predicting values from first on by the value some steps
 *  before; NAN if there is none. */
double baseline_error(const double *values, size_t first, size_t count, size_t lag);

#endif
