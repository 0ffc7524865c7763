#include <stdlib.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/scan.h"

/* A table that is being built. */
typedef struct builder {
    csv_table *table;
    size_t columns, before;
    /* Blank lines between any two rows. */
    size_t spacing;
    /* Bytes of the text. */
    size_t bytes;
    /* Rows, with those before the table, up to notes after it. */
    size_t end;
    /* Fields of the row that is read. */
    char **row;
} builder;

/* Whether a row fits the table. A delimiter at its end makes one more field. */
static bool fits(const csv_scan *scan, size_t columns)
{
    return scan->count == columns || (scan->count == columns + 1 && scan->last_empty);
}

/* Rows before the one that was read: a blank line in one column is a missing value,
 * except that all rows may have the same number of blank lines between them. */
static size_t missing_rows(const csv_scan *scan, const builder *b, size_t rows)
{
    return b->columns == 1 && rows > 0 ? scan->gap - b->spacing : 0;
}

/* Blank lines between all rows from the position of the scan on. */
static size_t find_spacing(csv_scan scan, size_t before)
{
    enum { FEWEST = 4 };
    size_t least = SIZE_MAX, rows = 0;
    while (csv_scan_row(&scan) == CSV_ROW) {
        if (rows++ > before && scan.gap < least)
            least = scan.gap;
    }
    return rows < before + FEWEST ? 0 : least;
}

/* Whether a row begins notes after the table: a blank line is before it, and it has
 * fewer fields. */
static bool begins_notes(const csv_scan *scan, const builder *b)
{
    enum { FEWEST = 4 };
    return b->table->rows >= FEWEST && scan->gap > 0 && scan->count < b->columns;
}

/* Counts rows and bytes of fields from the beginning of a text; checks the lengths of
 * the rows after those before the table. */
static bool measure(builder *b, csv_scan scan)
{
    csv_table *table = b->table;
    size_t fields = 0, skipped = 0;
    const unsigned char *begin = scan.at;
    csv_found found;
    while ((found = csv_scan_row(&scan)) == CSV_ROW) {
        fields += scan.count;
        if (skipped < b->before) {
            skipped++;
            b->end++;
            table->before += scan.line - scan.row_line;
            continue;
        }
        if (table->after || begins_notes(&scan, b)) {
            table->after_line = table->after++ ? table->after_line : scan.row_line;
            if (scan.count < b->columns)
                continue;
            return csv_fail(&scan, table->after_line,
                            "fewer than the %zu fields of most rows, after which the "
                            "table goes on",
                            b->columns);
        }
        b->end++;
        if (!fits(&scan, b->columns))
            return csv_fail(&scan, scan.row_line,
                            "%zu field%s, expected %zu as in most rows", scan.count,
                            scan.count == 1 ? "" : "s", b->columns);
        if (table->rows > 0)
            table->blank += b->columns > 1 ? scan.gap : b->spacing;
        table->rows += 1 + missing_rows(&scan, b, table->rows);
    }
    table->comments = scan.comments;
    /* Each field has two bytes more than in the text, and a missing one too. */
    b->bytes = (size_t)(scan.end - begin) + 2 * fields + 2 * table->rows + 1;
    if (found == CSV_FAULT)
        return false;
    if (table->rows == 0)
        return csv_fail(&scan, scan.line,
                        scan.comments ? "no rows; lines of comments: %zu" : "no rows",
                        scan.comments);
    return true;
}

static void add_row(builder *b, size_t line, char *const *fields)
{
    csv_table *table = b->table;
    for (size_t i = 0; i < table->columns; i++)
        table->starts[table->rows * table->columns + i] =
            (uint32_t)(fields[i] - table->text);
    table->lines[table->rows++] = (uint32_t)line;
}

/* Copies the rows that measure() has counted. */
static void fill(builder *b, csv_scan scan)
{
    csv_table *table = b->table;
    table->rows = 0;
    scan.out = table->text;
    scan.fields = b->row;
    for (size_t i = 0; i < b->end; i++) {
        csv_scan_row(&scan);
        if (i < b->before)
            continue;
        size_t missing = missing_rows(&scan, b, table->rows);
        for (size_t j = 0; j < missing; j++) {
            char *empty = scan.out + 1;
            memcpy(scan.out, " ", 2);
            scan.out += 2;
            add_row(b, scan.row_line - missing + j, &empty);
        }
        add_row(b, scan.row_line, scan.fields);
    }
}

static bool build(csv_table *table, csv_scan *start, size_t columns, size_t before)
{
    builder b = {.table = table, .columns = columns, .before = before};
    if (columns == 1)
        b.spacing = find_spacing(*start, before);
    if (!measure(&b, *start))
        return false;
    table->columns = columns;
    table->delimiter = start->delimiter;
    table->starts = calloc(table->rows, columns * sizeof(*table->starts));
    table->lines = calloc(table->rows, sizeof(*table->lines));
    table->text = malloc(b.bytes);
    b.row = calloc(CSV_MOST_COLUMNS, sizeof(*b.row));
    bool allocated = b.row && table->starts && table->lines && table->text;
    if (allocated)
        fill(&b, *start);
    else
        csv_fail(start, 1, "no memory");
    free(b.row);
    return allocated;
}

bool csv_read(csv_table *table, const unsigned char *bytes, size_t size, char delimiter,
              char *why, size_t room)
{
    unsigned char *converted;
    size_t columns, before = 0;
    csv_scan start = {.at = bytes,
                      .end = bytes + size,
                      .line = 1,
                      .delimiter = delimiter,
                      .why = why,
                      .room = room};
    *table = (csv_table){.encoding = "UTF-8"};
    if (!csv_check_bytes(&start, &converted, &size))
        return false;
    if (converted) {
        table->encoding = "Windows-1252";
        start.at = converted;
        start.end = converted + size;
    }
    if (start.end - start.at >= 3 && memcmp(start.at, "\xef\xbb\xbf", 3) == 0)
        start.at += 3;
    bool read =
        csv_detect(&start, &columns, &before) && build(table, &start, columns, before);
    free(converted);
    if (!read)
        csv_free(table);
    return read;
}

void csv_free(csv_table *table)
{
    free(table->starts);
    free(table->lines);
    free(table->text);
    *table = (csv_table){0};
}

const char *csv_field(const csv_table *table, size_t row, size_t column)
{
    return table->text + table->starts[row * table->columns + column];
}

bool csv_is_quoted(const csv_table *table, size_t row, size_t column)
{
    return csv_field(table, row, column)[-1] == '"';
}

size_t csv_line(const csv_table *table, size_t row)
{
    return table->lines[row];
}
