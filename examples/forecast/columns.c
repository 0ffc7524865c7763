#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/forecast/footer.h"
#include "examples/forecast/tally.h"

const char *columns_shown(const char *field, char *text, size_t size)
{
    size_t length = 0;
    for (; field[length] && length + 4 < size; length++) {
        unsigned char byte = (unsigned char)field[length];
        text[length] = byte < ' ' || byte == 127 ? '?' : field[length];
    }
    while (field[length] && length > 0 && ((unsigned char)field[length] & 0xc0) == 0x80)
        length--;
    snprintf(text + length, 4, "%s", field[length] ? "..." : "");
    return text;
}

/* Whether a field in the first row is a value of its column. A year may be a name. */
static bool is_value(const column *c, const char *field)
{
    csv_number number;
    csv_time time;
    if (c->kind == COLUMN_TIMES)
        return csv_parse_time(field, c->order, &time);
    return c->kind == COLUMN_NUMBERS && csv_parse_number(field, c->decimal, &number) &&
           !(number.value >= 1000 && number.value < 3000 && number.decimals <= 0);
}

/* Whether the first row has names: at least one above numbers or times, and no value in
 * it. */
static bool detect_header(const columns *found)
{
    size_t names = 0, texts = 0;
    if (found->table->rows < 2)
        return footer_is_name(csv_field(found->table, 0, 0));
    for (size_t i = 0; i < found->count; i++) {
        const column *c = &found->all[i];
        const char *field = csv_field(found->table, 0, i);
        if (is_value(c, field))
            return false;
        bool text = c->kind == COLUMN_TEXTS || c->kind == COLUMN_EMPTY;
        texts += text;
        names += !text && footer_is_name(field);
    }
    return names > 0 || texts == found->count;
}

static void set_name(column *c, const csv_table *table, size_t index, bool header)
{
    const char *field = header ? csv_field(table, 0, index) : "";
    if (*field)
        columns_shown(field, c->name, sizeof(c->name));
    else
        snprintf(c->name, sizeof(c->name), "column %zu", index);
}

static void classify_all(columns *found, const tally *tallies,
                         const forecast_options *options)
{
    tally file = {0};
    for (size_t i = 0; i < found->count; i++) {
        file.only_point += tallies[i].only_point;
        file.only_comma += tallies[i].only_comma;
        file.dotted += tallies[i].dotted;
    }
    for (size_t i = 0; i < found->count; i++)
        tally_classify(&found->all[i], &tallies[i], &file, found->table->delimiter,
                       options);
}

/* Tallies all rows from the first one on, and classifies the columns. */
static void tally_all(columns *found, tally *tallies, const forecast_options *options)
{
    memset(tallies, 0, found->count * sizeof(*tallies));
    for (size_t i = 0; i < found->count; i++) {
        set_name(&found->all[i], found->table, i, found->first > 0);
        found->all[i].part = part_of_name(found->all[i].name);
    }
    for (size_t row = found->first; row < found->end; row++)
        for (size_t i = 0; i < found->count; i++)
            tally_field(&tallies[i], found->all[i].part,
                        csv_field(found->table, row, i),
                        csv_is_quoted(found->table, row, i), row);
    classify_all(found, tallies, options);
}

/* Whether the row after the names has units: short texts above numbers and times. */
static bool has_units(const columns *found)
{
    enum { LONGEST = 16 };
    csv_number number;
    size_t units = 0;
    for (size_t i = 0; found->end > 2 && i < found->count; i++) {
        const column *c = &found->all[i];
        const char *field = csv_field(found->table, 1, i);
        if ((c->kind != COLUMN_NUMBERS && c->kind != COLUMN_TIMES) ||
            csv_is_missing(field))
            continue;
        if (csv_parse_number(field, c->decimal, &number) || number.beyond ||
            csv_is_time(field) || strlen(field) > LONGEST ||
            strchr("0123456789+-.,", *field))
            return false;
        units++;
    }
    return units > 0;
}

/* Passes over a row of units, and says so. */
static void skip_units(columns *found, tally *tallies, const forecast_options *options)
{
    char text[200] = "", field[20];
    size_t length = 0;
    if (!has_units(found))
        return;
    for (size_t i = 0; i < found->count && length + 40 < sizeof(text); i++)
        length += (size_t)snprintf(
            text + length, sizeof(text) - length, "%s'%s'", i ? ", " : "",
            columns_shown(csv_field(found->table, 1, i), field, sizeof(field)));
    message_warning("line %zu is taken as units, not as values: %s",
                    csv_line(found->table, 1), text);
    found->first = 2;
    tally_all(found, tallies, options);
}

bool columns_read(columns *found, const csv_table *table,
                  const forecast_options *options)
{
    tally *tallies = calloc(table->columns, sizeof(*tallies));
    *found = (columns){.table = table,
                       .all = calloc(table->columns, sizeof(*found->all)),
                       .count = table->columns,
                       .decimal = options->decimal,
                       .first = 1,
                       .end = footer_find_end(table)};
    if (!found->all || !tallies) {
        columns_free(found);
        free(tallies);
        return message_error("%s: no memory", input_name(options->path));
    }
    tally_all(found, tallies, options);
    bool header = options->header == FORECAST_HEADER_AUTO
                      ? detect_header(found)
                      : options->header == FORECAST_HEADER_YES;
    if (header) {
        skip_units(found, tallies, options);
    } else {
        found->first = 0;
        tally_all(found, tallies, options);
    }
    free(tallies);
    return true;
}

void columns_free(columns *found)
{
    free(found->all);
    *found = (columns){0};
}

/* Writes an example of the texts of a column. */
static const char *print_sample(const columns *found, size_t index, char *text,
                                size_t size)
{
    char field[40];
    size_t row = found->all[index].text_row;
    *text = '\0';
    if (row > 0)
        snprintf(text, size, " such as '%s' in line %zu",
                 columns_shown(csv_field(found->table, row - 1, index), field,
                               sizeof(field)),
                 csv_line(found->table, row - 1));
    return text;
}

void columns_add_texts(const columns *found, char *text, size_t size)
{
    enum { SHOWN = 3 };
    char sample[120];
    size_t length = strlen(text), count = 0;
    for (size_t i = 0; i < found->count; i++) {
        size_t row = found->all[i].text_row;
        if (row == 0 || found->all[i].part != PART_NONE ||
            !strpbrk(csv_field(found->table, row - 1, i), "0123456789"))
            continue;
        if (count++ < SHOWN)
            length += (size_t)snprintf(text + length, size - length, "%s'%s' (text%s)",
                                       count == 1 ? "; not numbers: " : ", ",
                                       found->all[i].name,
                                       print_sample(found, i, sample, sizeof(sample)));
    }
    if (count > SHOWN)
        snprintf(text + length, size - length, " and %zu more", count - SHOWN);
}

/* Prints an error that ends with the list of columns. */
static bool refuse(const columns *found, const char *fact)
{
    static const char *const kinds[] = {"empty", "numbers", "times", "text"};
    enum { SHOWN = 20 };
    char text[6000] = "", sample[120];
    size_t length = 0;
    for (size_t i = 0; i < found->count && i < SHOWN; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s%zu '%s' (%s%s)", i ? ", " : "", i,
                                   found->all[i].name, kinds[found->all[i].kind],
                                   print_sample(found, i, sample, sizeof(sample)));
    if (found->count > SHOWN)
        snprintf(text + length, sizeof(text) - length, " and %zu more",
                 found->count - SHOWN);
    size_t comments = found->table->comments;
    char more[80] = "";
    if (comments > 0)
        snprintf(more, sizeof(more), "; %zu line%s with # %s taken as comment%s",
                 comments, number_plural(comments), comments == 1 ? "was" : "were",
                 number_plural(comments));
    return message_error("%s; the columns are %s%s", fact, text, more);
}

/* Whether the name of a column, without blanks around it, is a text. */
static bool is_named(const columns *found, size_t index, const char *name)
{
    const char *field = csv_field(found->table, 0, index);
    field += strspn(field, " \t");
    size_t length = strlen(field);
    while (length > 0 && strchr(" \t", field[length - 1]))
        length--;
    return length == strlen(name) && strncmp(field, name, length) == 0;
}

bool columns_find(const columns *found, const char *name, size_t *index)
{
    char fact[300], text[100];
    size_t matches = 0;
    uint64_t number;
    columns_shown(name, text, sizeof(text));
    for (size_t i = 0; found->first > 0 && i < found->count; i++)
        if (*name && is_named(found, i, name)) {
            matches++;
            *index = i;
        }
    if (matches == 0 && number_count(name, &number) && number < found->count) {
        *index = (size_t)number;
        matches = 1;
    }
    if (matches == 1)
        return true;
    if (matches > 1)
        snprintf(fact, sizeof(fact),
                 "%zu columns have the name '%s', expected one: "
                 "give its number",
                 matches, text);
    else
        snprintf(fact, sizeof(fact), "no column has the name or number '%s'", text);
    return refuse(found, fact);
}

bool columns_choose(const columns *found, size_t *index)
{
    for (int round = 0; round < 3; round++)
        for (size_t i = found->count; i-- > 0;) {
            const column *c = &found->all[i];
            bool wanted = round == 0   ? c->measures && c->numbers >= SERIES_FEWEST
                          : round == 1 ? !c->counts && c->part == PART_NONE
                                       : true;
            if (c->kind == COLUMN_NUMBERS && wanted) {
                *index = i;
                return true;
            }
        }
    return refuse(found, found->decimal == '.'   ? "--decimal .: no column has numbers"
                         : found->decimal == ',' ? "--decimal ,: no column has numbers"
                                                 : "no column has numbers");
}

bool columns_need_numbers(const columns *found, size_t index)
{
    const column *c = &found->all[index];
    char fact[300], text[60];
    size_t row = found->first;
    if (c->kind == COLUMN_NUMBERS && c->mixed)
        return message_error("column '%s' has numbers such as 1.234 and such as 1,234; "
                             "--decimal . or , says which sign is the decimal one",
                             c->name);
    if (c->kind == COLUMN_NUMBERS)
        return true;
    while (row + 1 < found->table->rows &&
           csv_is_missing(csv_field(found->table, row, index)))
        row++;
    if (c->kind == COLUMN_EMPTY || row >= found->table->rows)
        snprintf(fact, sizeof(fact), "column '%s' has no values", c->name);
    else
        snprintf(fact, sizeof(fact), "line %zu, column '%s': '%s' is not a number%s",
                 csv_line(found->table, row), c->name,
                 columns_shown(csv_field(found->table, row, index), text, sizeof(text)),
                 found->decimal == '.'   ? " with --decimal ."
                 : found->decimal == ',' ? " with --decimal ,"
                                         : "");
    return refuse(found, fact);
}
