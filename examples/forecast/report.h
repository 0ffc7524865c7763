/**
 * @file
 * The answer of forecast as text.
 */
#ifndef EXAMPLES_FORECAST_REPORT_H
#define EXAMPLES_FORECAST_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/forecast/series.h"

/** What was found out about a series. */
typedef struct answer {
    const series *series;
    /** [count] predictions of the values, [steps] of the values after them. */
    const double *predicted, *future;
    /** [steps] half widths of the bands. */
    const double *margins;
    size_t first_held_out, steps;
    /** Root mean squared errors of one step: of the network, of the previous value, of
     *  the value one season before, and of the change one season before, if that is
     *  nearer on the training values; season is 0 if there is none. */
    double error, previous, seasonal, changed;
    size_t season;
    bool by_change;
    /** Whether the training values (constant) or their differences (ramp, too) are all
     *  equal: there is no network. */
    bool constant, ramp;
} answer;

/** A number that double has in place of an infinity: the largest one. */
double report_limit(double value);

/** Prints the answer, as a table of comma-separated values if wanted. */
void report_print(const answer *a, bool csv);

/** Writes a number with the digits that matter beside a margin, and at least those of
 *  the series. */
void report_number(const answer *a, double value, double margin, char *text,
                   size_t size);

#endif
