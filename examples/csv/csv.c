#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/csv/csv.h"

enum { LONGEST_NUMBER = 400 };

/* A pass over the text. With table NULL it only counts. */
typedef struct {
    const unsigned char *at, *end;
    char *out;
    size_t line, rows, columns, count;
    char delimiter;
    csv_table *table;
    char *why;
    size_t room;
} pass;

static bool fail(const pass *p, size_t line, const char *fault)
{
    snprintf(p->why, p->room, "line %zu: %s", line, fault);
    return false;
}

static bool is_line_end(int byte)
{
    return byte == '\n' || byte == '\r';
}

/* Steps over a CRLF, LF or CR. */
static void skip_line_end(pass *p)
{
    if (p->at < p->end && *p->at == '\r' && p->at + 1 < p->end && p->at[1] == '\n')
        p->at++;
    p->at += p->at < p->end;
    p->line++;
}

/* Skips blank lines and comments. */
static void skip_empty(pass *p)
{
    while (p->at < p->end && (is_line_end(*p->at) || *p->at == '#')) {
        while (p->at < p->end && !is_line_end(*p->at))
            p->at++;
        skip_line_end(p);
    }
}

static void put(pass *p, unsigned char byte)
{
    if (p->table)
        *p->out++ = (char)byte;
}

/* Reads to the closing quote; at is behind the opening one. */
static bool read_quoted(pass *p)
{
    size_t first = p->line;
    for (; p->at < p->end; p->at++) {
        if (*p->at == '"' && !(p->at + 1 < p->end && p->at[1] == '"')) {
            p->at++;
            return true;
        }
        if (*p->at == '"')
            p->at++;
        else if (*p->at == '\n' ||
                 (*p->at == '\r' && !(p->at + 1 < p->end && p->at[1] == '\n')))
            p->line++;
        put(p, *p->at);
    }
    return fail(p, first, "a quote has no end");
}

static bool read_field(pass *p)
{
    if (p->table)
        p->table->fields[p->count] = p->out;
    p->count++;
    if (p->at < p->end && *p->at == '"') {
        p->at++;
        if (!read_quoted(p))
            return false;
        if (p->at < p->end && *p->at != (unsigned char)p->delimiter &&
            !is_line_end(*p->at))
            return fail(p, p->line, "text follows a closing quote");
    }
    while (p->at < p->end && *p->at != (unsigned char)p->delimiter &&
           !is_line_end(*p->at))
        put(p, *p->at++);
    put(p, 0);
    return true;
}

static bool read_row(pass *p)
{
    size_t before = p->count, line = p->line;
    for (;;) {
        if (!read_field(p))
            return false;
        if (p->at == p->end || is_line_end(*p->at))
            break;
        p->at++;
    }
    if (p->table)
        p->table->lines[p->rows] = line;
    size_t columns = p->count - before;
    if (p->rows++ == 0)
        p->columns = columns;
    if (p->at < p->end)
        skip_line_end(p);
    if (columns == p->columns)
        return true;
    snprintf(p->why, p->room, "line %zu: %zu fields, expected %zu as in the first row",
             line, columns, p->columns);
    return false;
}

static bool run(pass *p)
{
    for (skip_empty(p); p->at < p->end; skip_empty(p))
        if (!read_row(p))
            return false;
    return p->rows > 0 || fail(p, p->line, "no rows");
}

/* The delimiter that splits all rows alike; the comma last, because it is also a
 * decimal point. Otherwise the one that splits the first row. */
static char detect(const pass *start)
{
    static const char candidates[] = {';', '\t', '|', ','};
    char fallback = ',';
    size_t most = 1;
    for (size_t i = 0; i < sizeof(candidates); i++) {
        char why[128];
        pass p = *start;
        p.delimiter = candidates[i], p.why = why, p.room = sizeof(why);
        if (run(&p) && p.columns > 1)
            return candidates[i];
        if (p.columns > most)
            most = p.columns, fallback = candidates[i];
    }
    return fallback;
}

/* Refuses what is not text in ASCII's bytes. */
static bool check_bytes(const pass *p)
{
    size_t size = (size_t)(p->end - p->at), line = 1;
    if (size >= 2 &&
        (memcmp(p->at, "\xff\xfe", 2) == 0 || memcmp(p->at, "\xfe\xff", 2) == 0))
        return fail(p, 1, "the text is UTF-16, expected UTF-8");
    for (const unsigned char *at = p->at; at < p->end; at++) {
        if (*at == 0)
            return fail(p, line, "a byte 0, expected text");
        line += *at == '\n' || (*at == '\r' && !(at + 1 < p->end && at[1] == '\n'));
    }
    return true;
}

bool csv_read(csv_table *table, const unsigned char *bytes, size_t size, char *why,
              size_t room)
{
    pass start = {
        .at = bytes, .end = bytes + size, .line = 1, .why = why, .room = room};
    *table = (csv_table){0};
    if (!check_bytes(&start))
        return false;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        start.at += 3;
    start.delimiter = detect(&start);
    pass counted = start;
    if (!run(&counted))
        return false;
    table->fields = calloc(counted.count, sizeof(*table->fields));
    table->lines = calloc(counted.rows, sizeof(*table->lines));
    table->text = malloc(size + 1);
    if (!table->fields || !table->lines || !table->text) {
        csv_free(table);
        return fail(&start, 1, "no memory");
    }
    table->rows = counted.rows, table->columns = counted.columns;
    table->delimiter = start.delimiter;
    start.table = table, start.out = table->text;
    return run(&start);
}

void csv_free(csv_table *table)
{
    free(table->fields);
    free(table->lines);
    free(table->text);
    *table = (csv_table){0};
}

/* Whether the integer digits, up to the decimal point, are groups of three. */
static bool has_groups(const char *digits, char separator)
{
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > 3)
        return false;
    for (digits += length; *digits == separator; digits += 4)
        if (strspn(digits + 1, "0123456789") != 3)
            return false;
    return true;
}

bool csv_number(const char *field, char decimal, double *value)
{
    char text[LONGEST_NUMBER], separator = decimal == '.' ? ',' : '.';
    field += strspn(field, " \t");
    size_t length = strlen(field), kept = 0;
    while (length > 0 && strchr(" \t", field[length - 1]))
        length--;
    size_t sign = *field == '-' || *field == '+';
    if (length >= sizeof(text))
        return false;
    const char *separated = memchr(field, separator, length);
    const char *point = memchr(field, decimal, length);
    if (separated &&
        (!has_groups(field + sign, separator) ||
         (point && memchr(point, separator, length - (size_t)(point - field)))))
        return false;
    for (size_t i = 0; i < length; i++)
        if (field[i] != separator)
            text[kept++] = field[i] == decimal ? '.' : field[i];
    text[kept] = '\0';
    return number_real(text, value);
}
