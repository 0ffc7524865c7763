/**
 * @file
 * Counts of what the fields of a column could be, and what the column is by them.
 */
#ifndef EXAMPLES_FORECAST_TALLY_H
#define EXAMPLES_FORECAST_TALLY_H

#include "examples/forecast/columns.h"

/** Numbers in the order of rows. */
typedef struct tally_order {
    size_t count;
    double last, step;
    /** Whether they change direction or stay, whether their steps differ, and whether
     *  the numbers differ; whether one is not 0 or 1. */
    bool irregular, uneven, varies, many;
} tally_order;

/** What the fields of a column could be. */
typedef struct tally {
    size_t present;
    /** Numbers with a decimal point, with a decimal comma, and only with one of them.
     */
    size_t point, comma, only_point, only_comma;
    /** Numbers that are another one with the other sign, such as 1.234 or 1,234. */
    size_t points, commas, quoted;
    /** Whole numbers, and those of them of at least 1,000. */
    size_t plain, large;
    /** The smallest of those, and the largest value of points and commas if their sign
     *  is the decimal one. */
    double least_large, split;
    /** For each order of dates the number of times, how often they rise and fall, and
     *  the last one. */
    size_t times[CSV_ORDERS], rise[CSV_ORDERS], fall[CSV_ORDERS];
    double last_time[CSV_ORDERS];
    /** Whether a time is another one in another order. */
    bool differ;
    /** Times of day, times that are also numbers, and times whose numbers have points
     *  between them. */
    size_t clocks, compact, dotted;
    /** Fields that are the part of a date that the name says. */
    size_t parts;
    /** Rows from 1 of the first field, of the first one that is neither a number nor a
     *  time, and of the first one that is not such a part; 0 without one. */
    size_t first_row, text_row, odd_row;
    /** Whether the last of them is not a number. */
    bool odd_text;
    /** The numbers with a decimal point, and with a decimal comma. */
    tally_order order[2];
} tally;

/** Counts one more field. */
void tally_field(tally *t, part kind, const char *field, bool quoted, size_t row);

/**
 * Sets what a column is, except for its name.
 *
 * @param file sums of only_point, only_comma and dotted of all columns
 */
void tally_classify(column *c, const tally *t, const tally *file, char delimiter,
                    const forecast_options *options);

#endif
