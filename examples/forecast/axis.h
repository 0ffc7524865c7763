/**
 * @file
 * The time axis of a series.
 */
#ifndef EXAMPLES_FORECAST_AXIS_H
#define EXAMPLES_FORECAST_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/forecast/columns.h"
#include "examples/forecast/rule.h"

/** What times are, and how they are printed. */
typedef enum axis_kind {
    /** No column of times, or one whose times follow no rule: rows are counted. */
    AXIS_ROWS,
    AXIS_NUMBERS,
    /** Times of day. */
    AXIS_CLOCK,
    AXIS_HALVES,
    AXIS_QUARTERS,
    AXIS_MONTHS,
    AXIS_WEEKS,
    AXIS_DAYS,
    AXIS_SECONDS
} axis_kind;

/** The time of each row of a table, and of missing rows. */
typedef struct axis {
    axis_kind kind;
    /** Name of the column or the columns, "row" without one. */
    char name[100];
    /** [count] numbers, or seconds since the origin; rises after axis_check(). */
    double *at;
    /** [count] rows of the table; AXIS_NO_ROW for a time that is missing there. */
    size_t *rows;
    size_t count;
    rule rule;
    /** Seconds since 1970 that times begin from: 0, unless they have parts of a second,
     *  which would lose digits. */
    double origin;
    /** Digits of a second, and whether times have offsets and count in UTC. */
    int digits;
    bool zoned;
    /** Digits after the decimal sign, for numbers. */
    int decimals;
} axis;

#define AXIS_NO_ROW SIZE_MAX

/**
 * Reads the times of all rows, and says what was taken for what where that is not sure.
 * Rows at the end whose time is a text, such as "Total", are left out, and said.
 *
 * @param series column of the values, which is not the time
 * @return false after an error message
 */
bool axis_read(axis *a, const columns *all, size_t series,
               const forecast_options *options);

/** Finds the rule of the times, and says where some are missing, repeat or go
 * backwards. If the newest row is the first, rows are reversed. Missing times are added
 * unless rows are to be dropped. Without a rule the axis becomes AXIS_ROWS. False after
 * an error message. */
bool axis_check(axis *a, const columns *all, forecast_missing missing);

void axis_free(axis *a);

/** Whether times are seconds of the calendar. */
bool axis_has_calendar(const axis *a);

/** The time some steps after that of a row. */
double axis_after(const axis *a, size_t row, size_t steps);

/** Writes a time as text: a date, a number, or that of a row from 1. */
void axis_print(const axis *a, double time, char *text, size_t size);

#endif
