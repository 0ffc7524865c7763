/*
 * Detects the delimiter of a text. A delimiter splits most rows into the same number of
 * fields. A comma may be a decimal comma instead, and blanks may belong to a text.
 */
#include <stdlib.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/field.h"
#include "examples/csv/scan.h"

enum { MOST_ROWS_BEFORE = 50 };

/* Memory that the attempts share: numbers of rows by their number of fields, and of
 * those that end with a delimiter; the fields of a row. */
typedef struct scratch {
    size_t rows[CSV_MOST_COLUMNS + 1], closed[CSV_MOST_COLUMNS + 1];
    char *fields[CSV_MOST_COLUMNS];
    /* A row is refused only after its field that is beyond the limit. */
    char text[CSV_MOST_ROW + CSV_MOST_FIELD + 2 * CSV_MOST_COLUMNS + 3];
} scratch;

/* How a delimiter splits a text. */
typedef struct shape {
    char delimiter;
    /** Number of fields of most rows, and the share of rows that have it. */
    size_t columns;
    double share;
    /** Whether all of them end with a delimiter, as no single field does, and whether
     * the text ends before a fault. wide: the fault is a first row of too many fields.
     */
    bool closed, fault, wide;
} shape;

static shape split(csv_scan scan, char delimiter, scratch *s)
{
    shape found = {.delimiter = delimiter};
    char why[200];
    size_t rows = 0, most = 0;
    csv_found state;
    scan.delimiter = delimiter;
    scan.why = why;
    scan.room = sizeof(why);
    memset(s->rows, 0, sizeof(s->rows));
    memset(s->closed, 0, sizeof(s->closed));
    while ((state = csv_scan_row(&scan)) == CSV_ROW) {
        rows++;
        s->closed[scan.count] += scan.last_empty;
        if (++s->rows[scan.count] >= most) {
            most = s->rows[scan.count];
            found.columns = scan.count;
        }
    }
    found.share = rows ? (double)most / (double)rows : 0;
    found.closed = rows && s->closed[found.columns] == most;
    found.fault = state == CSV_FAULT;
    found.wide = found.fault && rows == 0 && scan.count == CSV_MOST_COLUMNS;
    if (found.wide) {
        found.columns = scan.count;
        found.share = 1;
    }
    return found;
}

/* Reads a row with its fields. */
static csv_found read_row(csv_scan *scan, scratch *s)
{
    scan->out = s->text;
    scan->fields = s->fields;
    return csv_scan_row(scan);
}

static bool is_number(const char *field)
{
    csv_number number;
    return csv_parse_number(field, '.', &number) ||
           csv_parse_number(field, ',', &number);
}

/* Whether all rows after the first are numbers as a whole, with a decimal sign, and the
 * comma occurs in the first row or many others not, or before a zero, as in 10,05: then
 * it does not delimit fields. */
static bool is_one_column(csv_scan scan, char decimal, scratch *s)
{
    csv_number number;
    char why[200];
    size_t rows = 0, whole = 0;
    bool first = true, evident = false;
    scan.delimiter = CSV_NONE;
    scan.why = why;
    scan.room = sizeof(why);
    csv_found state;
    for (; (state = read_row(&scan, s)) == CSV_ROW; first = false) {
        const char *field = s->fields[0], *comma = strchr(field, ',');
        bool value = csv_parse_number(field, decimal, &number);
        if (!value && (first ? comma != NULL : !csv_is_missing(field)))
            return false;
        if (scan.quoted || (comma && comma[1] == '\0'))
            return false;
        rows++;
        whole += !comma;
        evident = evident || (first && !comma) ||
                  (comma && comma[1] == '0' && comma[2] >= '0' && comma[2] <= '9');
    }
    return (evident || 20 * whole >= rows) && state == CSV_END;
}

/* Whether runs of blanks split all rows alike into numbers and times; names may be in
 * the first row. Otherwise blanks belong to a text such as "3 kg". */
static bool has_blanks(csv_scan scan, scratch *s)
{
    shape found = split(scan, CSV_BLANKS, s);
    bool first = true;
    if (found.columns < 2 || found.share < 1 || (found.fault && !found.wide))
        return false;
    scan.delimiter = CSV_BLANKS;
    for (; read_row(&scan, s) == CSV_ROW || (found.wide && first); first = false)
        for (size_t i = 0; i < scan.count && (!first || found.wide); i++)
            if (!is_number(s->fields[i]) && !csv_is_time(s->fields[i]) &&
                !csv_is_missing(s->fields[i]))
                return false;
    return true;
}

/* The delimiter that splits at least a share of the rows alike; the comma last, because
 * it is also a decimal comma. */
static const shape *best(const shape *shapes, size_t count, double share, bool faults)
{
    for (size_t i = 0; i < count; i++)
        if (shapes[i].columns > 1 && shapes[i].share >= share &&
            (faults || !shapes[i].fault))
            return &shapes[i];
    return NULL;
}

static shape choose(const csv_scan *start, scratch *s)
{
    static const char candidates[] = {';', '\t', '|', ','};
    enum { COUNT = sizeof(candidates) };
    shape shapes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        shapes[i] = split(*start, candidates[i], s);
    const shape *chosen = best(shapes, COUNT, 0.8, false);
    chosen = chosen ? chosen : best(shapes, COUNT, 0.5, true);
    bool comma = chosen && chosen->delimiter == ',';
    if (comma && (is_one_column(*start, ',', s) || is_one_column(*start, '.', s)))
        chosen = NULL;
    else if (chosen)
        return *chosen;
    return split(*start, !comma && has_blanks(*start, s) ? CSV_BLANKS : CSV_NONE, s);
}

/* Whether a row consists of names: texts that are neither numbers nor times. */
static bool has_names(const csv_scan *scan, size_t columns, const scratch *s)
{
    size_t names = 0;
    for (size_t i = 0; i < scan->count; i++) {
        if (is_number(s->fields[i]) || csv_is_time(s->fields[i]))
            return false;
        names += !csv_is_missing(s->fields[i]);
    }
    return 2 * names >= columns;
}

/* Whether at most half of the fields of a row have a text, as in a title that a
 * spreadsheet fills up with delimiters. */
static bool is_sparse(const csv_scan *scan, size_t columns, const scratch *s)
{
    size_t present = 0;
    for (size_t i = 0; i < scan->count; i++)
        present += *s->fields[i] != '\0';
    return columns > 1 && 2 * present <= columns;
}

/* Finds the first row of the table: rows with fewer fields, or mostly empty ones, may
 * stand before one of names. Without such a row the table begins at once, and a wrong
 * number of fields in its first row is a fault. */
static void find_table(csv_scan scan, const shape *chosen, size_t *columns,
                       size_t *before, scratch *s)
{
    size_t rows = 0;
    *before = 0;
    *columns = chosen->columns - chosen->closed;
    while (rows <= MOST_ROWS_BEFORE && read_row(&scan, s) == CSV_ROW) {
        if (scan.count >= *columns && !is_sparse(&scan, *columns, s)) {
            if (rows == 0 || has_names(&scan, *columns, s))
                *before = rows;
            return;
        }
        rows++;
    }
}

/* Takes a comment directly before the first row as the row of names, if it has a name
 * for each of several columns, and the first row has numbers or times. */
static void take_names(csv_scan *start, size_t columns, scratch *s)
{
    char why[200];
    csv_scan names = *start;
    if (!csv_enter_comment(&names) || columns < 2)
        return;
    csv_scan scan = names;
    scan.why = why;
    scan.room = sizeof(why);
    if (read_row(&scan, s) != CSV_ROW || scan.row_line != names.line ||
        scan.count != columns || !has_names(&scan, 2 * columns, s))
        return;
    /* The first row, which has been read before. */
    read_row(&scan, s);
    if (!has_names(&scan, columns, s))
        *start = names;
}

/* Skips a line "sep=;" at the beginning, which sets the delimiter. */
static bool read_sep(csv_scan *start)
{
    static const char mark[] = "sep=";
    enum { LENGTH = sizeof(mark) - 1 };
    size_t left = (size_t)(start->end - start->at);
    if (left < LENGTH + 2 || memcmp(start->at, mark, LENGTH) != 0 ||
        !strchr("\r\n", start->at[LENGTH + 1]) || strchr("\r\n\"", start->at[LENGTH]))
        return false;
    if (start->delimiter == CSV_DETECT)
        start->delimiter = (char)start->at[LENGTH];
    start->at += LENGTH + 1;
    start->at += left >= LENGTH + 3 && memcmp(start->at, "\r\n", 2) == 0 ? 2 : 1;
    start->line++;
    return true;
}

bool csv_detect(csv_scan *start, size_t *columns, size_t *before)
{
    scratch *s = malloc(sizeof(*s));
    if (!s)
        return csv_fail(start, 1, "no memory");
    read_sep(start);
    shape chosen = start->delimiter == CSV_DETECT ? choose(start, s)
                                                  : split(*start, start->delimiter, s);
    start->delimiter = chosen.delimiter;
    find_table(*start, &chosen, columns, before, s);
    if (*before == 0)
        take_names(start, *columns, s);
    free(s);
    return true;
}
