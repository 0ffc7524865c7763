/**
 * @file
 * Reads times from the columns of a table. Private to axis.c.
 */
#ifndef EXAMPLES_FORECAST_TIMES_H
#define EXAMPLES_FORECAST_TIMES_H

#include "examples/forecast/axis.h"

/** The columns that times are read from. */
typedef struct times {
    const columns *all;
    const forecast_options *options;
    /** Index of a column of dates, times or numbers, of one of times of day beside it,
     *  and of those with parts; TIMES_NONE without one. */
    size_t main, clock, parts[PARTS];
    csv_order order;
    /** The row after the last one that has a time. */
    size_t end;
    /** Precision of the most precise time, digits of a second, and the number of times
     *  that have an offset. */
    csv_precision precision;
    int digits;
    size_t zoned;
    /** Whether an offset is not 0; whether times are read without subtracting it. */
    bool offsets, local;
    /** Whether a year has two digits. */
    bool short_years;
} times;

#define TIMES_NONE SIZE_MAX

/** Chooses the columns that are not the series; false after an error message. */
bool times_choose(times *t, const columns *all, size_t series,
                  const forecast_options *options);

/** Whether there are any columns. */
bool times_found(const times *t);

/** Writes the names of the columns. */
void times_name(const times *t, char *text, size_t size);

/** Reads the times of the rows of the axis: whole seconds and the part
 *  after them, or numbers. False after an error message. */
bool times_read(times *t, axis *a, double *nanoseconds);

#endif
