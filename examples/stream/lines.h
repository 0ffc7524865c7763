/**
 * @file
 * Lines of a file or pipe, each as soon as it is complete.
 */
#ifndef EXAMPLES_STREAM_LINES_H
#define EXAMPLES_STREAM_LINES_H

#include <stdbool.h>
#include <stddef.h>

/** Longest line in bytes. */
enum { LINES_LONGEST = 1 << 20 };

/** A reader of lines; file is set by the caller, all other members are 0 at first. */
typedef struct line_reader {
    int file;
    /** Number of the current line, from 1. */
    size_t number;
    /** [LINES_LONGEST + 1] bytes that are read; the next line is at begin. */
    char *bytes;
    size_t begin, end;
    bool ended;
} line_reader;

typedef enum line_status { LINE_READ, LINES_END, LINES_FAILED } line_status;

/**
 * Reads the next line. A line that a read error cuts off is not returned. The last line
 * may lack its line feed. A byte order mark before the first line is skipped.
 *
 * @param[out] line the line without line feed, valid until the next call
 * @return LINES_FAILED after an error message: a read failed, the line is too long or
 *         contains a zero byte, or memory is exhausted
 */
line_status lines_next(line_reader *reader, char **line);

/** Frees the memory of the reader. */
void lines_free(line_reader *reader);

#endif
