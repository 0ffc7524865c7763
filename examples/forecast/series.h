/**
 * @file
 * The values of a column, without gaps.
 */
#ifndef EXAMPLES_FORECAST_SERIES_H
#define EXAMPLES_FORECAST_SERIES_H

#include "examples/forecast/axis.h"

/** The most values that are used: the last ones. */
enum { SERIES_MOST = 5000 };

/** Values at the times of an axis; freed with series_free(). */
typedef struct series {
    const char *name;
    /** [count] values, and their times. */
    double *values, *times;
    size_t count;
    /** Digits after the decimal point of the most precise value. */
    int decimals;
    /** The axis, and the row of it that the last value is in. */
    axis axis;
    size_t last_row;
} series;

/**
 * Reads the column that the options name, and says on standard error what was taken for
 * what, and where values are missing.
 *
 * @return false after an error message
 */
bool series_read(series *s, const columns *all, const forecast_options *options);

void series_free(series *s);

#endif
