/**
 * @file
 * The columns of a table: their names, and what their fields are.
 */
#ifndef EXAMPLES_FORECAST_COLUMNS_H
#define EXAMPLES_FORECAST_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/csv/csv.h"
#include "examples/csv/field.h"
#include "examples/forecast/options.h"

typedef enum column_kind {
    COLUMN_EMPTY,
    COLUMN_NUMBERS,
    COLUMN_TIMES,
    COLUMN_TEXTS
} column_kind;

/** A column. */
typedef struct column {
    column_kind kind;
    /** Its name for messages: without control characters, and not too long. */
    char name[80];
    /** Of numbers: the decimal sign, and whether the other one is possible. */
    char decimal;
    bool ambiguous;
    /** Of numbers: whether some look like 1.234 and others like 1,234, so that either
     *  sign is wrong for some. */
    bool mixed;
    /** Of numbers: whether it counts: all are whole and rise or fall by the same, or
     *  they rise or fall and the name is that of a counter. */
    bool counts;
    /** Of numbers: whether it neither counts nor identifies something, and varies. */
    bool measures;
    /** Of times: the order of day and month, whether the other order is possible, and
     *  whether all are times of day. */
    bool day_first, ambiguous_order, clock;
} column;

/** All columns of a table; freed with columns_free(). */
typedef struct columns {
    const csv_table *table;
    column *all;
    size_t count;
    /** The first row of values, 1 after a row of names, else 0; and the row after the
     *  last one that has a value. */
    size_t first, end;
} columns;

/** Finds out what the columns are; false after an error message. */
bool columns_read(columns *found, const csv_table *table,
                  const forecast_options *options);

void columns_free(columns *found);

/** Index of a column that is given by its name or number; false after an error message,
 *  which lists the columns. */
bool columns_find(const columns *found, const char *name, size_t *index);

/** Index of the column to forecast if none is given; false after an error message. */
bool columns_choose(const columns *found, size_t *index);

/** Refuses a column without numbers, with an error message that lists the columns. */
bool columns_need_numbers(const columns *found, size_t index);

/** A field for messages: without control characters, and not too long. */
const char *columns_shown(const char *field, char *text, size_t size);

#endif
