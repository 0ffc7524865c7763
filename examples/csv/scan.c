#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/scan.h"

bool csv_fail(const csv_scan *scan, size_t line, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(scan->why, scan->room, "line %zu: ", line);
    va_start(arguments, format);
    if ((size_t)length < scan->room)
        vsnprintf(scan->why + length, scan->room - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_line_end(int byte)
{
    return byte == '\n' || byte == '\r';
}

static bool is_blank(int byte)
{
    return byte == ' ' || byte == '\t';
}

/* Whether the row ends here. */
static bool at_line_end(const csv_scan *scan)
{
    return scan->at == scan->end || is_line_end(*scan->at);
}

/* Whether a delimiter is here, where the row does not end. */
static bool at_delimiter(const csv_scan *scan)
{
    if (scan->delimiter == CSV_NONE)
        return false;
    return scan->delimiter == CSV_BLANKS ? is_blank(*scan->at)
                                         : *scan->at == (unsigned char)scan->delimiter;
}

/* Steps over a line end: CRLF, LF, CR, or CRCRLF, which text mode makes of CRLF. */
static void skip_line_end(csv_scan *scan)
{
    size_t left = (size_t)(scan->end - scan->at);
    if (left >= 3 && memcmp(scan->at, "\r\r\n", 3) == 0)
        scan->at += 3;
    else if (left >= 2 && memcmp(scan->at, "\r\n", 2) == 0)
        scan->at += 2;
    else
        scan->at += left > 0;
    scan->line++;
}

/* Skips blanks that are not the delimiter. */
static void skip_blanks(csv_scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at) &&
           *scan->at != (unsigned char)scan->delimiter)
        scan->at++;
}

/* Whether the line is blank. A tab that delimits makes it a row of empty fields. */
static bool at_blank_line(const csv_scan *scan)
{
    const unsigned char *at = scan->at;
    while (at < scan->end && is_blank(*at) &&
           (*at != (unsigned char)scan->delimiter || *at == ' '))
        at++;
    return at == scan->end || is_line_end(*at);
}

/* Whether the field is the error value of a spreadsheet, and nothing else. */
static bool at_error(const csv_scan *scan)
{
    csv_scan after = *scan;
    size_t length = csv_error_length(scan->at, scan->end);
    after.at += length;
    if (length == 0)
        return false;
    skip_blanks(&after);
    return at_line_end(&after) || at_delimiter(&after);
}

/* Whether the line is a comment. "#" before a delimiter is the name of a column. */
static bool at_comment(const csv_scan *scan)
{
    if (*scan->at != '#' || at_error(scan))
        return false;
    return scan->at + 1 == scan->end || is_blank(scan->delimiter) ||
           scan->at[1] != (unsigned char)scan->delimiter;
}

static void skip_line(csv_scan *scan)
{
    while (!at_line_end(scan))
        scan->at++;
    skip_line_end(scan);
}

/* Skips blank lines and comments. */
static void skip_lines(csv_scan *scan)
{
    scan->gap = 0;
    while (scan->at < scan->end) {
        bool blank = at_blank_line(scan);
        if (!blank && !at_comment(scan))
            return;
        scan->gap += blank;
        scan->blank += blank;
        scan->comments += !blank;
        skip_line(scan);
    }
}

bool csv_enter_comment(csv_scan *scan)
{
    csv_scan at = *scan, comment = *scan;
    bool found = false;
    for (; at.at < at.end; skip_line(&at)) {
        bool blank = at_blank_line(&at);
        if (!blank && !at_comment(&at))
            break;
        found = !blank;
        if (found) {
            comment = at;
            at.comments++;
        }
    }
    if (!found)
        return false;
    comment.at++;
    *scan = comment;
    return true;
}

static void put(csv_scan *scan, unsigned char byte)
{
    if (scan->out)
        *scan->out++ = (char)byte;
}

/* Reads to the closing quote; at is behind the opening one. */
static bool read_quoted(csv_scan *scan)
{
    size_t first = scan->line;
    const unsigned char *begin = scan->at;
    for (; scan->at < scan->end; scan->at++) {
        bool quote = *scan->at == '"';
        bool last = scan->at + 1 == scan->end;
        if (quote && (last || scan->at[1] != '"')) {
            scan->at++;
            return true;
        }
        scan->at += quote;
        scan->line +=
            *scan->at == '\n' || (*scan->at == '\r' && (last || scan->at[1] != '\n'));
        put(scan, *scan->at);
        if (scan->at - begin > CSV_MOST_FIELD)
            return csv_fail(scan, first, "a quoted field has more than %d bytes",
                            CSV_MOST_FIELD);
    }
    return csv_fail(scan, first, "a quote has no end");
}

/* Reads a field without quotes, and removes the blanks after it. */
static bool read_plain(csv_scan *scan)
{
    const unsigned char *begin = scan->at, *stop;
    while (!at_line_end(scan) && !at_delimiter(scan))
        scan->at++;
    for (stop = scan->at; stop > begin && is_blank(stop[-1]);)
        stop--;
    if (stop - begin > CSV_MOST_FIELD)
        return csv_fail(scan, scan->line, "a field has more than %d bytes",
                        CSV_MOST_FIELD);
    if (scan->out) {
        memcpy(scan->out, begin, (size_t)(stop - begin));
        scan->out += stop - begin;
    }
    scan->last_empty = stop == begin;
    return true;
}

static bool read_field(csv_scan *scan)
{
    if (scan->count == CSV_MOST_COLUMNS)
        return csv_fail(scan, scan->line, "has more than %d fields", CSV_MOST_COLUMNS);
    skip_blanks(scan);
    bool quoted = scan->at < scan->end && *scan->at == '"';
    put(scan, quoted ? '"' : ' ');
    if (scan->out)
        scan->fields[scan->count] = scan->out;
    scan->count++;
    if (quoted) {
        scan->at++;
        scan->quoted = true;
        scan->last_empty = false;
        if (!read_quoted(scan))
            return false;
        skip_blanks(scan);
        if (!at_line_end(scan) && !at_delimiter(scan))
            return csv_fail(scan, scan->line, "text follows a closing quote");
    } else if (!read_plain(scan)) {
        return false;
    }
    put(scan, 0);
    return true;
}

/* Skips a run of blanks that delimits fields. */
static void skip_run(csv_scan *scan)
{
    while (scan->delimiter == CSV_BLANKS && scan->at < scan->end && is_blank(*scan->at))
        scan->at++;
}

csv_found csv_scan_row(csv_scan *scan)
{
    skip_lines(scan);
    if (scan->at == scan->end)
        return CSV_END;
    const unsigned char *begin = scan->at;
    scan->row_line = scan->line;
    scan->count = 0;
    scan->quoted = false;
    skip_run(scan);
    for (;;) {
        if (!read_field(scan))
            return CSV_FAULT;
        if (scan->at - begin > CSV_MOST_ROW) {
            csv_fail(scan, scan->row_line, "a row has more than %d bytes",
                     CSV_MOST_ROW);
            return CSV_FAULT;
        }
        skip_run(scan);
        if (at_line_end(scan))
            break;
        scan->at += scan->delimiter != CSV_BLANKS;
    }
    skip_line_end(scan);
    return CSV_ROW;
}
