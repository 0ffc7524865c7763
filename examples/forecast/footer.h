/**
 * @file
 * Rows at the end of a table that are not values: notes, totals and blank rows.
 */
#ifndef EXAMPLES_FORECAST_FOOTER_H
#define EXAMPLES_FORECAST_FOOTER_H

#include "examples/csv/csv.h"

/** Whether a field can name a column or a row: a text without a number or a time. */
bool footer_is_name(const char *field);

/** Whether all fields of a row are missing. */
bool footer_is_blank(const csv_table *table, size_t row);

/** The row after the last one of values. Rows of notes and totals are said. */
size_t footer_find_end(const csv_table *table);

#endif
