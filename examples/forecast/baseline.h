/**
 * @file
 * Simple predictions to compare a network with.
 */
#ifndef EXAMPLES_FORECAST_BASELINE_H
#define EXAMPLES_FORECAST_BASELINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The number of values after which the changes of a series repeat best. Changes have no
 * trend, which would hide a season of the values.
 *
 * @param values [count] the training values
 * @param[out] season the shortest season whose autocorrelation is nearly the largest; 0
 *             if none is more than chance
 * @return false after an error message: no memory
 */
bool baseline_season(const double *values, size_t count, size_t *season);

/** Root mean squared error of predicting values from first on by the value some steps
 *  before; NAN if there is none. */
double baseline_error(const double *values, size_t first, size_t count, size_t lag);

/** The same of predicting their change by the change some steps before. */
double baseline_change_error(const double *values, size_t first, size_t count,
                             size_t lag);

#endif
