#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/forecast/columns.h"

/* What the fields of a column could be. */
typedef struct tally {
    size_t present;
    /* Numbers with a decimal point, with a decimal comma, and only with one of them. */
    size_t point, comma, only_point, only_comma;
    /* Numbers that are another one with the other sign, such as 1.234 or 1,234. */
    size_t points, commas, quoted;
    /* Others, and those of them of at least 1,000. */
    size_t plain, large;
    /* Times with the month or the day first, and how often they rise and fall. */
    size_t months, days, rise[2], fall[2], ambiguous, compact, clocks;
    double last_time[2];
    /* Whether the numbers all rise or all fall, and by the same. */
    double last, step;
    bool irregular, uneven, varies;
} tally;

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

static void tally_order(tally *t, double value)
{
    double step = value - t->last;
    size_t before = t->plain - 1;
    t->varies = t->varies || (before > 0 && fabs(step) > 0);
    bool stays = before > 0 && !(fabs(step) > 0);
    bool turns = before > 1 && (step > 0) != (t->step > 0);
    t->irregular = t->irregular || stays || turns;
    if (before > 1 && fabs(step - t->step) > 0)
        t->uneven = true;
    t->last = value;
    t->step = step;
}

static void tally_number(tally *t, const char *field, bool quoted)
{
    csv_number point, comma;
    bool with_point = csv_parse_number(field, '.', &point);
    bool with_comma = csv_parse_number(field, ',', &comma);
    t->point += with_point;
    t->comma += with_comma;
    t->only_point += with_point && !with_comma;
    t->only_comma += with_comma && !with_point;
    if (!with_point || !with_comma) {
        t->irregular = t->varies = true;
    } else if (point.value != comma.value) {
        t->points += point.point;
        t->commas += comma.point;
        t->quoted += quoted;
        t->irregular = t->varies = true;
    } else {
        t->plain++;
        t->large += fabs(point.value) >= 1000;
        tally_order(t, point.value);
    }
}

static void tally_time(tally *t, const char *field)
{
    csv_time time;
    for (int day_first = 0; day_first < 2; day_first++) {
        size_t *count = day_first ? &t->days : &t->months;
        if (!csv_parse_time(field, day_first, &time))
            continue;
        t->rise[day_first] += *count > 0 && time.seconds > t->last_time[day_first];
        t->fall[day_first] += *count > 0 && time.seconds < t->last_time[day_first];
        t->last_time[day_first] = time.seconds;
        ++*count;
        if (day_first)
            continue;
        t->ambiguous += time.ambiguous;
        t->clocks += time.precision == CSV_CLOCK;
    }
}

static void tally_field(tally *t, const char *field, bool quoted)
{
    csv_number number;
    if (csv_is_missing(field))
        return;
    t->present++;
    tally_number(t, field, quoted);
    bool is_number = csv_parse_number(field, '.', &number);
    size_t times = t->months;
    if (!is_number || strspn(field, "0123456789") == 8)
        tally_time(t, field);
    t->compact += is_number && t->months > times;
}

/* The decimal sign of a column whose numbers are the same kind with both: the one of
 * other columns, else the more likely one. Whole numbers below 1,000 beside 1,234 make
 * the comma a separator of groups, and so do quotes, unless they are needless. */
static char guess_decimal(const tally *t, const tally *file, char delimiter)
{
    bool grouped = t->plain > 0 && t->large == 0;
    if (file->only_comma != file->only_point)
        return file->only_comma > file->only_point ? ',' : '.';
    if (t->commas > 0)
        return grouped || (t->quoted > 0 && (delimiter == ',' || delimiter == CSV_NONE))
                   ? '.'
                   : ',';
    return grouped && delimiter == ';' ? ',' : '.';
}

static void set_decimal(column *c, const tally *t, const tally *file,
                        const csv_table *table, char given)
{
    c->ambiguous = false;
    c->mixed = !given && t->points > 0 && t->commas > 0 && t->only_point == 0 &&
               t->only_comma == 0;
    if (given)
        c->decimal = given;
    else if (t->only_point != t->only_comma)
        c->decimal = t->only_comma > t->only_point ? ',' : '.';
    else if (t->points + t->commas == 0)
        c->decimal = '.';
    else {
        c->decimal = guess_decimal(t, file, table->delimiter);
        c->ambiguous =
            t->commas > 0 || c->decimal == ',' || file->only_comma == file->only_point;
    }
}

static bool has_counter_name(const char *name)
{
    static const char *const names[] = {
        "id",     "index",  "idx",  "no",      "nr",   "nr.",  "no.",
        "#",      "row",    "n",    "t",       "time", "zeit", "timestamp",
        "epoch",  "unix",   "date", "year",    "jahr", "step", "seq",
        "number", "nummer", "sec",  "seconds", "ms",   "i"};
    char lower[16];
    size_t length = strcspn(name, " _([");
    if (length == 0 || length >= sizeof(lower))
        return false;
    for (size_t i = 0; i < length; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    lower[length] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(lower, names[i]) == 0)
            return true;
    return false;
}

/* Whether a name is that of numbers which identify something, such as user_id. */
static bool has_identifier_name(const char *name)
{
    size_t length = strlen(name);
    const char *end = length < 2 ? name : name + length - 2;
    bool small = strcmp(end, "id") == 0, large = strcmp(end, "ID") == 0;
    bool capital = strcmp(end, "Id") == 0;
    return capital || ((small || large) && (end == name || strchr("_- .", end[-1])));
}

static void classify(column *c, const tally *t, const tally *file,
                     const csv_table *table, char decimal)
{
    set_decimal(c, t, file, table, decimal);
    size_t numbers = c->decimal == '.' ? t->point : t->comma;
    size_t times = t->months > t->days ? t->months : t->days;
    size_t turns[2];
    for (int i = 0; i < 2; i++)
        turns[i] = t->rise[i] < t->fall[i] ? t->rise[i] : t->fall[i];
    c->day_first = t->days > t->months || (t->days == t->months && turns[1] < turns[0]);
    c->ambiguous_order =
        t->days == t->months && t->ambiguous > 0 && turns[0] == turns[1];
    c->clock = t->clocks == times;
    /* Numbers of eight digits are dates only if all of them are. */
    if (t->compact > 0 && t->compact < t->present)
        times -= times < t->compact ? times : t->compact;
    if (t->present == 0)
        c->kind = COLUMN_EMPTY;
    else if (times == t->present || (times > numbers && 2 * times >= t->present))
        c->kind = COLUMN_TIMES;
    else
        c->kind = 2 * numbers >= t->present ? COLUMN_NUMBERS : COLUMN_TEXTS;
    c->counts = c->kind == COLUMN_NUMBERS && !t->irregular && t->plain > 2 &&
                (!t->uneven || has_counter_name(c->name));
    c->measures = t->varies && !c->counts && !has_identifier_name(c->name);
}

/* Whether a field can name a column. */
static bool is_name(const char *field)
{
    csv_number number;
    csv_time time;
    return !csv_is_missing(field) && !strchr("0123456789+-.,", *field) &&
           !csv_parse_number(field, '.', &number) &&
           !csv_parse_number(field, ',', &number) &&
           !csv_parse_time(field, false, &time) && !csv_parse_time(field, true, &time);
}

/* Whether a field in the first row is a value of its column. A year may be a name. */
static bool is_value(const column *c, const char *field)
{
    csv_number number;
    csv_time time;
    if (c->kind == COLUMN_TIMES)
        return csv_parse_time(field, c->day_first, &time);
    return c->kind == COLUMN_NUMBERS && csv_parse_number(field, c->decimal, &number) &&
           !(number.value >= 1000 && number.value < 3000 && number.decimals <= 0);
}

/* Whether the first row has names: at least one above numbers or times, and no value in
 * it. */
static bool detect_header(const columns *found)
{
    size_t names = 0, texts = 0;
    if (found->table->rows < 2)
        return is_name(csv_field(found->table, 0, 0));
    for (size_t i = 0; i < found->count; i++) {
        const column *c = &found->all[i];
        const char *field = csv_field(found->table, 0, i);
        if (is_value(c, field))
            return false;
        bool text = c->kind == COLUMN_TEXTS || c->kind == COLUMN_EMPTY;
        texts += text;
        names += !text && is_name(field);
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
    }
    for (size_t i = 0; i < found->count; i++)
        classify(&found->all[i], &tallies[i], &file, found->table, options->decimal);
}

static void tally_row(const columns *found, tally *tallies, size_t row)
{
    for (size_t i = 0; i < found->count; i++)
        tally_field(&tallies[i], csv_field(found->table, row, i),
                    csv_is_quoted(found->table, row, i));
}

/* Tallies all rows from one on, and classifies the columns. */
static void tally_all(columns *found, tally *tallies, size_t first,
                      const forecast_options *options)
{
    memset(tallies, 0, found->count * sizeof(*tallies));
    for (size_t row = first; row < found->end; row++)
        tally_row(found, tallies, row);
    for (size_t i = 0; i < found->count; i++)
        set_name(&found->all[i], found->table, i, first > 0);
    classify_all(found, tallies, options);
}

/* The row after the last one that has a value. */
static size_t find_end(const csv_table *table)
{
    size_t row = table->rows;
    for (; row > 1; row--)
        for (size_t i = 0; i < table->columns; i++)
            if (!csv_is_missing(csv_field(table, row - 1, i)))
                return row;
    return row;
}

bool columns_read(columns *found, const csv_table *table,
                  const forecast_options *options)
{
    tally *tallies = calloc(table->columns, sizeof(*tallies));
    *found = (columns){.table = table,
                       .all = calloc(table->columns, sizeof(*found->all)),
                       .count = table->columns,
                       .first = 1,
                       .end = find_end(table)};
    if (!found->all || !tallies) {
        columns_free(found);
        free(tallies);
        return message_error("%s: no memory", input_name(options->path));
    }
    tally_all(found, tallies, 1, options);
    bool header = options->header == FORECAST_HEADER_AUTO
                      ? detect_header(found)
                      : options->header == FORECAST_HEADER_YES;
    if (!header) {
        found->first = 0;
        tally_all(found, tallies, 0, options);
    }
    free(tallies);
    return true;
}

void columns_free(columns *found)
{
    free(found->all);
    *found = (columns){0};
}

/* Prints an error that ends with the list of columns. */
static bool refuse(const columns *found, const char *fact)
{
    static const char *const kinds[] = {"empty", "numbers", "times", "text"};
    enum { SHOWN = 20 };
    char text[4000] = "";
    size_t length = 0;
    for (size_t i = 0; i < found->count && i < SHOWN; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s%zu '%s' (%s)", i ? ", " : "", i,
                                   found->all[i].name, kinds[found->all[i].kind]);
    if (found->count > SHOWN)
        snprintf(text + length, sizeof(text) - length, " and %zu more",
                 found->count - SHOWN);
    return message_error("%s; the columns are %s", fact, text);
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
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < found->count; i++)
            if (found->all[i].kind == COLUMN_NUMBERS &&
                (others || found->all[i].measures)) {
                *index = i;
                return true;
            }
    return refuse(found, "no column has numbers");
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
        snprintf(
            fact, sizeof(fact), "line %zu, column '%s': '%s' is not a number",
            csv_line(found->table, row), c->name,
            columns_shown(csv_field(found->table, row, index), text, sizeof(text)));
    return refuse(found, fact);
}
