/**
 * @file
 * The time axis of a series.
 */
#ifndef EXAMPLES_FORECAST_AXIS_H
#define EXAMPLES_FORECAST_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/forecast/columns.h"

typedef enum axis_kind {
    /** No column of times, or one whose times do not rise: rows are counted. */
    AXIS_ROWS,
    AXIS_NUMBERS,
    AXIS_MONTHS,
    AXIS_DAYS,
    AXIS_SECONDS
} axis_kind;

/** The time of each row of a table. */
typedef struct axis {
    axis_kind kind;
    /** Name of the column, "row" without one. */
    const char *name;
    /** [count] numbers, or seconds since 1970; rises. */
    double *at;
    size_t count;
    /** The usual step; with months, their number instead. */
    double step;
    long months;
    /** Whether times have offsets and count in UTC. */
    bool zoned;
    /** Whether the rows of the table are read from the last to the first. */
    bool reversed;
    /** A decimal sign, and digits after it, for numbers. */
    int decimals;
} axis;

/**
 * Reads the times of all rows.
 *
 * @param series column of the values, which is not the time
 * @param given name or number of the column of times, "none", or NULL to choose
 * @return false after an error message
 */
bool axis_read(axis *a, const columns *all, size_t series, const char *given);

/** Says on standard error where times have gaps, repeat or go backwards, and finds the
 *  usual step. If the newest row is the first, the axis is reversed; if times repeat or
 *  go backwards, it becomes AXIS_ROWS. False after an error message. */
bool axis_check(axis *a, const columns *all);

void axis_free(axis *a);

/** The time some steps after that of a row. */
double axis_after(const axis *a, size_t row, size_t steps);

/** Writes a time as text: a date, a number, or that of a row from 1. */
void axis_print(const axis *a, double time, char *text, size_t size);

#endif
