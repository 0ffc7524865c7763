/**
 * @file
 * Splits a text into rows and fields. Private to examples/csv.
 */
#ifndef EXAMPLES_CSV_SCAN_H
#define EXAMPLES_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/** A position in a text, and where fields are copied. */
typedef struct csv_scan {
    const unsigned char *at, *end;
    size_t line;
    char delimiter;
    /** Where the next byte of a field goes; NULL: fields are only counted. */
    char *out;
    /** Receives the fields of a row: [CSV_MOST_COLUMNS]; with out only. */
    char **fields;
    /** Of the last row: its line, its number of fields, whether the last one is empty
     *  without quotes, and whether one has quotes. */
    size_t row_line, count;
    bool last_empty, quoted;
    /** Lines passed over: of comments, blank ones in all, and blank ones directly
     *  before the last row. */
    size_t comments, blank, gap;
    /** [room] the message of a failure. */
    char *why;
    size_t room;
} csv_scan;

/** What csv_scan_row() found. */
typedef enum csv_found { CSV_ROW, CSV_END, CSV_FAULT } csv_found;

/** Reads the next row that is not blank or a comment. A field in text is a byte '"' or
 *  ' ' (with quotes or without), its content from the pointer on, and a byte 0. */
csv_found csv_scan_row(csv_scan *scan);

/** Number of bytes of the error value of a spreadsheet that text begins with, such as
 *  #N/A or #DIV/0!; 0 if it begins with none. */
size_t csv_error_length(const unsigned char *at, const unsigned char *end);

/**
 * Goes into the comment directly before the first row, behind its "#": it may have the
 * names of the columns.
 *
 * @return false without one; then scan is as before
 */
bool csv_enter_comment(csv_scan *scan);

/** Writes a message about a line; returns false. */
__attribute__((format(printf, 3, 4))) bool csv_fail(const csv_scan *scan, size_t line,
                                                    const char *format, ...);

/**
 * Chooses a delimiter and the number of columns, unless the delimiter is set.
 *
 * @param[in,out] start at the beginning of the text; the line "sep=" is skipped
 * @param[out] before number of rows before the table
 * @return false after a message
 */
bool csv_detect(csv_scan *start, size_t *columns, size_t *before);

/**
 * Checks that bytes are a text without bytes 0.
 *
 * @param[out] converted NULL if the bytes are UTF-8; otherwise, read as Windows-1252,
 *             [*converted_size] bytes of UTF-8, which the caller frees
 */
bool csv_check_bytes(const csv_scan *start, unsigned char **converted,
                     size_t *converted_size);

#endif
