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
    /** Whether the field is a number, but too large or too small for double. */
    bool beyond;
} csv_number;

/**
 * Parses a decimal number.
 *
 * Blanks around it, a sign and an exponent are allowed. Without an exponent, groups of
 * three digits may be separated by the other one of "." and ",", by apostrophes, or by
 * spaces, also those that do not break. The minus may be U+2212.
 *
 * @param decimal "." or ","
 * @return false for other text, for example units, and for values beyond double, also
 *         those that would become 0
 */
bool csv_parse_number(const char *field, char decimal, csv_number *number);

/** Whether a field stands for a missing value: it is blank, NA, N/A, #N/A, NaN, null,
 * none, nil, missing, "?", ".", "..", "...", ":", or only dashes. */
bool csv_is_missing(const char *field);

/** What a point in time names, the least precise first. */
typedef enum csv_precision {
    CSV_CLOCK,
    CSV_HALF,
    CSV_QUARTER,
    CSV_MONTH,
    CSV_WEEK,
    CSV_DAY,
    CSV_SECOND
} csv_precision;

/** The order of numbers in dates such as 1/2/2024 or 24-01-02. */
typedef enum csv_order { CSV_MDY, CSV_DMY, CSV_YMD } csv_order;

enum {
    CSV_ORDERS = 3,
    /** Digits of a second that are read. */
    CSV_MOST_DIGITS = 9
};

/** A point in time. */
typedef struct csv_time {
    csv_precision precision;
    /** Whole seconds since 1970-01-01 00:00, or since midnight for CSV_CLOCK, and the
     *  part of a second after them. */
    double seconds, nanoseconds;
    /** Digits of the part that are written, maybe more than CSV_MOST_DIGITS. */
    int digits;
    /** What separates numbers whose order is not known; 0 if it is known. */
    char separator;
    /** Whether its year has two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to
     *  2068. */
    bool short_year;
    /** Whether it has an offset, and its seconds, which are subtracted, so that seconds
     *  count in UTC. */
    bool zoned;
    double offset;
} csv_time;

/**
 * Parses a date, with a time of day or without, a month, a quarter, a week, or a time
 * of day.
 *
 * Dates are 2024-12-31, 2024/12/31, 20241231, 2024-366, 31.12.2024, 12/31/2024,
 * 31-12-2024, 24-12-31, "Dec 31, 2024", "31 December 2024", 31-Dec-24, 2024-Dec-31;
 * months 2024-12, 202412, 12/2024, "Dec 2024", Dec-24, 2024M12; quarters 2024-Q4,
 * "Q4 2024"; weeks 2024-W52, "KW 52 2024", which begin on Monday, and days of them,
 * 2024-W52-7. Names are those of names.c. Times are 23:59, 23:59:59.999 or 11:59 PM,
 * with an offset such as Z or +01:00, which is subtracted.
 */
bool csv_parse_time(const char *field, csv_order order, csv_time *time);

/** Whether a field is a time in some order. */
bool csv_is_time(const char *field);

/** Parses the name of a month, which may be shortened to three letters. */
bool csv_parse_month_name(const char *field, int *month);

/** Whether a text begins with such a name. */
bool csv_starts_with_month(const char *text, int *month);

/** Year, month from 1 and day from 1 of a number of days since 1970-01-01. */
void csv_date_of_days(long days, long *year, int *month, int *day);

/** The inverse. */
long csv_days_of_date(long year, int month, int day);

/** Days from Monday on, 0 to 6, of a number of days since 1970-01-01. */
int csv_weekday_of_days(long days);

/** Year and week of ISO 8601 of a number of days since 1970-01-01. */
void csv_week_of_days(long days, long *year, int *week);

/** The Monday of a week. */
long csv_days_of_week(long year, int week);

#endif
