/**
 * @file
 * Tables in text: RFC 4180 with the delimiter detected.
 *
 * Quoted fields keep line ends, delimiters and doubled quotes. Lines end with CRLF, LF
 * or CR. Blank lines and lines that begin with "#" are skipped, a UTF-8 byte order mark
 * too.
 */
#ifndef EXAMPLES_CSV_CSV_H
#define EXAMPLES_CSV_CSV_H

#include <stdbool.h>
#include <stddef.h>

/** A table; freed with csv_free(). */
typedef struct csv_table {
    /** [rows, columns] texts. */
    char **fields;
    /** [rows] line where a row begins, from 1. */
    size_t *lines;
    size_t rows, columns;
    /** "," ";" tab or "|"; "," for a table of one column. */
    char delimiter;
    char *text;
} csv_table;

/**
 * Reads a table.
 *
 * @param bytes [size]
 * @param[out] why [room] on failure the line and the fault: a quote without end, text
 *             after a quote, a row of another length, a byte 0, UTF-16, no rows, no
 *             memory
 * @return false on failure, with nothing to free
 */
bool csv_read(csv_table *table, const unsigned char *bytes, size_t size, char *why,
              size_t room);

/** Frees a table; accepts one that is all zeros. */
void csv_free(csv_table *table);

/**
 * Parses a field that is one finite number as a whole, with blanks around it allowed.
 *
 * @param decimal "." or ","; the other one may separate groups of three digits
 */
bool csv_number(const char *field, char decimal, double *value);

#endif
