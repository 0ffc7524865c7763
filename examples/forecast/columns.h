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
#include "examples/forecast/parts.h"

typedef enum column_kind {
    COLUMN_EMPTY,
    COLUMN_NUMBERS,
    COLUMN_TIMES,
    COLUMN_TEXTS
} column_kind;

/** The fewest values of a series. */
enum { SERIES_FEWEST = 50 };

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
    /** How many numbers it has. */
    size_t numbers;
    /** Of numbers: whether it neither counts nor identifies something, varies, and is
     *  not 0 or 1 throughout. */
    bool measures;
    /** The part of a date or a time of day that its numbers or names are. */
    part part;
    /** Of times: the order of day and month, bits of all orders that are as likely,
     *  whether all are times of day, and whether one is that of the row before. */
    csv_order order;
    unsigned orders;
    bool clock, repeats;
    /** Of texts: the first row, from 1, that is neither a number nor a time. */
    size_t text_row;
    /** Of what would be a counter or a part of a date: the first row, from 1, that is
     *  not one. */
    size_t odd_row;
} column;

/** All columns of a table; freed with columns_free(). */
typedef struct columns {
    const csv_table *table;
    column *all;
    size_t count;
    /** The decimal sign that is given, or 0. */
    char decimal;
    /** The first row of values: 0 without a row of names, 1 after it, 2 after names and
     *  units; and the row after the last one that has a value. */
    size_t first, end;
} columns;

/** Finds out what the columns are; false after an error message. */
bool columns_read(columns *found, const csv_table *table,
                  const forecast_options *options);

void columns_free(columns *found);

/** Index of a column that is given by its name or number; false after an error message,
 *  which lists the columns. */
bool columns_find(const columns *found, const char *name, size_t *index);

/** Index of the column to forecast if none is given: the last one of numbers that is
 *  neither a counter nor a part of a date. False after an error message. */
bool columns_choose(const columns *found, size_t *index);

/** Adds to a text which columns are texts with digits, and what is in them. */
void columns_add_texts(const columns *found, char *text, size_t size);

/** Refuses a column without numbers, with an error message that lists the columns. */
bool columns_need_numbers(const columns *found, size_t index);

/** A field for messages: without control characters, and not too long. */
const char *columns_shown(const char *field, char *text, size_t size);

#endif
