/**
 * @file
 * Tables in text: RFC 4180 with the dialect detected.
 *
 * Fields end with a comma, semicolon, tab, bar, or a run of blanks. Quoted fields keep
 * line ends, delimiters and doubled quotes. Lines end with CRLF, LF or CR. A UTF-8 byte
 * order mark, lines that begin with "#", but not with an error value of spreadsheets,
 * blank lines between rows of several fields,
 * lines with fewer fields or mostly empty ones before a row of names, and lines with
 * fewer fields after a blank line at the end are passed over and counted. Blanks
 * around fields are not part of them. A comment directly before the first row, with a
 * name for each of several columns, is the row of names. A delimiter at the end of each
 * row is ignored. A line "sep=;" at the beginning sets the delimiter.
 */
#ifndef EXAMPLES_CSV_CSV_H
#define EXAMPLES_CSV_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Limits of a table; those of fuzzers can be reached with short inputs. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum {
    CSV_MOST_BYTES = 1 << 28,
    CSV_MOST_FIELD = 1 << 7,
    CSV_MOST_ROW = 1 << 9,
    CSV_MOST_COLUMNS = 1 << 4
};
#else
enum {
    CSV_MOST_BYTES = 1 << 28,
    CSV_MOST_FIELD = 1 << 17,
    CSV_MOST_ROW = 1 << 20,
    CSV_MOST_COLUMNS = 1 << 14
};
#endif

/** Delimiters that are not characters of a text. */
enum {
    /** Detect. */
    CSV_DETECT = 0,
    /** A row is one field. */
    CSV_NONE = '\n',
    /** Runs of spaces and tabs. */
    CSV_BLANKS = ' '
};

/** A table; freed with csv_free(). */
typedef struct csv_table {
    size_t rows, columns;
    /** One of , ; | tab, CSV_BLANKS or CSV_NONE. */
    char delimiter;
    /** Lines passed over: before the table, of comments, and blank ones in it. */
    size_t before, comments, blank;
    /** Rows of notes after the table, and the line of the first one. */
    size_t after, after_line;
    /** "UTF-8", or "Windows-1252" for bytes that are not UTF-8; fields are UTF-8. */
    const char *encoding;
    /** Private: [rows, columns] offsets in text, [rows] line where a row begins. */
    uint32_t *starts, *lines;
    char *text;
} csv_table;

/**
 * Reads a table.
 *
 * @param bytes [size], at most CSV_MOST_BYTES
 * @param delimiter CSV_DETECT or as in csv_table
 * @param[out] why [room] on failure the line and the fault: a quote without end, text
 *             after a quote, a row of another length, a limit, a byte 0, another
 *             encoding or format, no rows, no memory
 * @return false on failure, with nothing to free
 */
bool csv_read(csv_table *table, const unsigned char *bytes, size_t size, char delimiter,
              char *why, size_t room);

/** Frees a table; accepts one that is all zeros. */
void csv_free(csv_table *table);

/** A field, valid until csv_free(). */
const char *csv_field(const csv_table *table, size_t row, size_t column);

/** Whether a field has quotes in the text. */
bool csv_is_quoted(const csv_table *table, size_t row, size_t column);

/** The line where a row begins, from 1. */
size_t csv_line(const csv_table *table, size_t row);

#endif
