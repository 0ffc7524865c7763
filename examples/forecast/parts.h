/**
 * @file
 * Columns that are a part of a date or a time of day: a year, a month, an hour.
 */
#ifndef EXAMPLES_FORECAST_PARTS_H
#define EXAMPLES_FORECAST_PARTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum part {
    PART_NONE,
    PART_YEAR,
    PART_QUARTER,
    PART_MONTH,
    PART_WEEK,
    PART_DAY,
    PART_HOUR,
    PART_MINUTE,
    PARTS
} part;

/** The part that a column has by its name; PART_NONE for others. */
part part_of_name(const char *name);

/** Reads a part: a whole number in its range, or the name of a month. */
bool part_read(part kind, const char *field, int *value);

/** Whether a name is usual for dates and times. */
bool part_is_time_name(const char *name);

/** Whether a text has the numbers of a date, or the name of a month beside digits. */
bool part_looks_like_time(const char *text);

/** Whether a name is usual for counters, such as id, row or year. */
bool part_is_counter_name(const char *name);

#endif
