/**
 * @file
 * Dates without a time of day, and words of times. Private to examples/csv.
 */
#ifndef EXAMPLES_CSV_DATE_H
#define EXAMPLES_CSV_DATE_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/csv/field.h"

enum { CSV_LONGEST_WORD = 16 };

/** Numbers of a date; month and day are 0 without one. */
typedef struct csv_date {
    long year;
    int month, day;
    /** CSV_DAY, or what is less precise. */
    csv_precision precision;
    /** As in csv_time. */
    char separator;
    bool short_year;
} csv_date;

/** Reads a date that exists; NULL without one, else what follows it. */
const char *csv_read_date(const char *text, csv_order order, csv_date *date);

/** Skips characters of a set. */
const char *csv_skip(const char *text, const char *set);

/** Reads a number of low to high digits; NULL for another number of digits. */
const char *csv_read_digits(const char *text, size_t low, size_t high, int *value);

/** Reads letters, as small ones if they are ASCII; NULL without one or for more than
 *  CSV_LONGEST_WORD bytes. */
const char *csv_read_word(const char *text, char word[CSV_LONGEST_WORD + 1]);

/** Reads the name of a month, also a shorter form of it. */
const char *csv_read_month(const char *text, int *month);

/** Skips a day of the week and what separates it. */
const char *csv_skip_weekday(const char *text);

#endif
