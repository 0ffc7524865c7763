/**
 * @file
 * Fields of tables: numbers, points in time and missing values. A field is one of them
 * as a whole, or text.
 */
#ifndef EXAMPLES_CSV_FIELD_H
#define EXAMPLES_CSV_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/** A number in a field. */
typedef struct csv_number {
    double value;
    /** Digits after the decimal point, less the exponent. */
    int decimals;
    /** Whether it has a decimal point, and separators between groups of digits. */
    bool point, groups;
    /** Whether it is in parentheses, which make it negative. */
    bool parentheses;
} csv_number;

/**
 * Parses a decimal number.
 *
 * Blanks around it, a sign and an exponent are allowed. Groups of three digits may be
 * separated by the other one of "." and ",", by apostrophes, or by spaces, also those
 * that do not break. The minus may be U+2212.
 *
 * @param decimal "." or ","
 * @return false for other text, for example units, and for values beyond double
 */
bool csv_parse_number(const char *field, char decimal, csv_number *number);

/** Whether a field stands for a missing value: it is blank, NA, N/A, NaN, null, none,
 *  nil, missing, "?", ".", or only dashes. */
bool csv_is_missing(const char *field);

/** What a point in time names. */
typedef enum csv_precision { CSV_CLOCK, CSV_MONTH, CSV_DAY, CSV_SECOND } csv_precision;

/** A point in time. */
typedef struct csv_time {
    csv_precision precision;
    /** Seconds since 1970-01-01 00:00, or since midnight for CSV_CLOCK. */
    double seconds;
    /** Whether day and month could be exchanged. */
    bool ambiguous;
    /** Whether it has an offset, so that seconds count in UTC. */
    bool zoned;
} csv_time;

/**
 * Parses a date, with a time of day or without, a month, a quarter, or a time of day.
 *
 * Dates are 2024-12-31, 2024/12/31, 20241231, 31.12.2024, 12/31/2024, 31-12-2024,
 * "Dec 31, 2024", "31 December 2024", 31-Dec-24; months 2024-12, 12/2024, "Dec 2024",
 * Dec-24; quarters 2024-Q4, "Q4 2024". Names are English or German. Times are 23:59,
 * 23:59:59.999 or 11:59 PM, with an offset such as Z or +01:00, which is subtracted.
 *
 * @param day_first whether 1/2/2024 is in February
 */
bool csv_parse_time(const char *field, bool day_first, csv_time *time);

/** Year, month from 1 and day from 1 of a number of days since 1970-01-01. */
void csv_date_of_days(long days, long *year, int *month, int *day);

/** The inverse. */
long csv_days_of_date(long year, int month, int day);

#endif
