#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/forecast/times.h"

enum { DAY = 86400, HOUR = 3600, MINUTE = 60, MOST_AFTER = 20 };

static const column *column_of(const times *t, size_t index)
{
    return &t->all->all[index];
}

static const char *field_of(const times *t, size_t row, size_t index)
{
    return csv_field(t->all->table, row, index);
}

/* Whether a row has the names of the columns once more. */
static bool has_names_again(const times *t, size_t row, size_t index)
{
    const char *field = field_of(t, row, index);
    return t->all->first > 0 && *field && strcmp(field, field_of(t, 0, index)) == 0;
}

/* What an option that is given has to do with a field that is not a time; "" without
 * one. */
static const char *blame(const times *t, size_t row, size_t index)
{
    static const char *const orders[] = {"; --dates mdy does not fit it",
                                         "; --dates dmy does not fit it",
                                         "; --dates ymd does not fit it"};
    const char *field = field_of(t, row, index);
    if (row == 0 && t->options->header == FORECAST_HEADER_NO)
        return "; --header no takes the first row as values";
    if (t->options->dates_given && csv_is_time(field))
        return orders[t->options->dates];
    if (t->options->decimal && column_of(t, index)->kind == COLUMN_NUMBERS)
        return "; --decimal is given";
    return "";
}

static bool refuse_field(const times *t, size_t row, size_t index)
{
    char text[60];
    const char *field = field_of(t, row, index), *name = column_of(t, index)->name;
    const char *fault = blame(t, row, index);
    size_t line = csv_line(t->all->table, row);
    const char *kind = index == t->main && column_of(t, index)->kind == COLUMN_NUMBERS
                           ? "number"
                           : "time";
    if (csv_is_missing(field))
        return message_error(
            "line %zu, column '%s': has no %s, as the time axis needs; remove the "
            "line if it is a total; --time none takes it as a value",
            line, name, kind);
    if (has_names_again(t, row, index))
        return message_error("line %zu, column '%s': has the name of the column again, "
                             "as a second table does; expected one table",
                             line, name);
    columns_shown(field, text, sizeof(text));
    return message_error("line %zu, column '%s': '%s' is not a %s like the others of "
                         "the time axis%s",
                         line, name, text, kind,
                         *fault ? fault
                                : "; remove the line if it is a total; --time none "
                                  "takes it as a value");
}

static bool read_number(const times *t, axis *a, size_t row, double *value)
{
    csv_number number;
    if (!csv_parse_number(field_of(t, row, t->main), column_of(t, t->main)->decimal,
                          &number))
        return refuse_field(t, row, t->main);
    if (number.decimals > a->decimals)
        a->decimals = number.decimals;
    *value = number.value;
    return true;
}

/* Reads the date of the columns with parts. */
static bool read_parts(const times *t, size_t row, csv_time *time)
{
    int value[PARTS] = {[PART_QUARTER] = 1, [PART_MONTH] = 1, [PART_DAY] = 1};
    for (part kind = PART_YEAR; kind < PARTS; kind++)
        if (t->parts[kind] != TIMES_NONE &&
            !part_read(kind, field_of(t, row, t->parts[kind]), &value[kind]))
            return refuse_field(t, row, t->parts[kind]);
    if (t->main == TIMES_NONE && t->parts[PART_WEEK] != TIMES_NONE) {
        time->precision = CSV_WEEK;
        time->seconds =
            DAY * (double)csv_days_of_week(value[PART_YEAR], value[PART_WEEK]);
    } else if (t->main == TIMES_NONE) {
        bool quarter = t->parts[PART_QUARTER] != TIMES_NONE;
        int month = quarter ? 3 * value[PART_QUARTER] - 2 : value[PART_MONTH];
        time->precision = quarter                            ? CSV_QUARTER
                          : t->parts[PART_DAY] == TIMES_NONE ? CSV_MONTH
                                                             : CSV_DAY;
        time->seconds =
            DAY * (double)csv_days_of_date(value[PART_YEAR], month, value[PART_DAY]);
    }
    if (t->parts[PART_HOUR] != TIMES_NONE) {
        time->precision = CSV_SECOND;
        time->seconds += HOUR * value[PART_HOUR] + MINUTE * value[PART_MINUTE];
    }
    return true;
}

static bool read_time(times *t, size_t row, double *seconds, double *nanoseconds)
{
    csv_time time = {.precision = CSV_CLOCK}, clock = {.precision = CSV_CLOCK};
    if (t->main != TIMES_NONE &&
        !csv_parse_time(field_of(t, row, t->main), t->order, &time))
        return refuse_field(t, row, t->main);
    if (t->clock != TIMES_NONE &&
        (!csv_parse_time(field_of(t, row, t->clock), CSV_MDY, &clock) ||
         clock.precision != CSV_CLOCK))
        return refuse_field(t, row, t->clock);
    if (!read_parts(t, row, &time))
        return false;
    if (t->clock != TIMES_NONE)
        time.precision = CSV_SECOND;
    if (time.precision > t->precision)
        t->precision = time.precision;
    t->digits = time.digits > t->digits ? time.digits : t->digits;
    t->digits = clock.digits > t->digits ? clock.digits : t->digits;
    t->zoned += time.zoned || clock.zoned;
    t->short_years = t->short_years || time.short_year;
    double offset = time.offset + clock.offset;
    t->offsets = t->offsets || fabs(offset) > 0;
    *seconds = time.seconds + clock.seconds + (t->local ? offset : 0);
    *nanoseconds = time.nanoseconds + clock.nanoseconds;
    return true;
}

/* Leaves out rows after the last time whose field is a text, such as "Total". */
static void find_end(times *t)
{
    size_t row = t->all->end, index = t->main;
    char text[60];
    if (index == TIMES_NONE || column_of(t, index)->kind != COLUMN_TIMES)
        return;
    while (row > t->all->first && t->all->end - row < MOST_AFTER &&
           !csv_is_missing(field_of(t, row - 1, index)) &&
           !csv_is_time(field_of(t, row - 1, index)))
        row--;
    if (row == t->all->end || row == t->all->first ||
        !csv_is_time(field_of(t, row - 1, index)))
        return;
    message_warning(
        "column '%s': rows after the last time are left out: %zu, the first "
        "in line %zu: '%s'",
        column_of(t, index)->name, t->all->end - row, csv_line(t->all->table, row),
        columns_shown(field_of(t, row, index), text, sizeof(text)));
    t->end = row;
}

bool times_read(times *t, axis *a, double *nanoseconds)
{
    bool numbers =
        t->main != TIMES_NONE && column_of(t, t->main)->kind == COLUMN_NUMBERS;
    t->precision = CSV_CLOCK;
    t->digits = 0;
    t->zoned = 0;
    for (size_t i = 0; i < a->count; i++) {
        size_t row = a->rows[i];
        if (!(numbers ? read_number(t, a, row, &a->at[i])
                      : read_time(t, row, &a->at[i], &nanoseconds[i])))
            return false;
    }
    return true;
}

/* The last column before the series, or else the first one, that is a part of dates. */
static void find_parts(times *t, size_t series)
{
    for (size_t i = t->all->count; i-- > 0;)
        if (i != series && column_of(t, i)->part != PART_NONE)
            t->parts[column_of(t, i)->part] = i;
}

/* Keeps the parts that make a date, or an hour beside dates that repeat. */
static void check_parts(times *t)
{
    size_t *parts = t->parts;
    bool date = t->main == TIMES_NONE && parts[PART_YEAR] != TIMES_NONE &&
                (parts[PART_MONTH] != TIMES_NONE || parts[PART_QUARTER] != TIMES_NONE ||
                 parts[PART_WEEK] != TIMES_NONE);
    bool hours =
        t->clock == TIMES_NONE &&
        (date ? parts[PART_MONTH] != TIMES_NONE && parts[PART_DAY] != TIMES_NONE
              : t->main != TIMES_NONE && column_of(t, t->main)->repeats);
    for (part kind = PART_NONE; kind < PARTS; kind++)
        if (kind >= PART_HOUR ? !hours || parts[PART_HOUR] == TIMES_NONE : !date)
            parts[kind] = TIMES_NONE;
    if (parts[PART_MONTH] != TIMES_NONE)
        parts[PART_QUARTER] = parts[PART_WEEK] = TIMES_NONE;
    else
        parts[PART_DAY] = TIMES_NONE;
    if (parts[PART_WEEK] != TIMES_NONE)
        parts[PART_QUARTER] = TIMES_NONE;
}

/* Looks for a column of dates, or else of times of day. */
static void find_main(times *t, size_t series, bool clock)
{
    for (size_t i = 0; i < t->all->count && t->main == TIMES_NONE; i++)
        if (i != series && column_of(t, i)->kind == COLUMN_TIMES &&
            column_of(t, i)->clock == clock)
            t->main = i;
}

static void find_counter(times *t, size_t series)
{
    for (size_t i = 0; i < t->all->count && t->main == TIMES_NONE; i++)
        if (i != series && column_of(t, i)->counts)
            t->main = i;
}

/* Looks for times of day beside dates. */
static void find_clock(times *t)
{
    csv_time time;
    if (t->main == TIMES_NONE || column_of(t, t->main)->kind != COLUMN_TIMES ||
        column_of(t, t->main)->clock ||
        !csv_parse_time(field_of(t, t->all->first, t->main),
                        column_of(t, t->main)->order, &time) ||
        time.precision != CSV_DAY)
        return;
    for (size_t i = 0; i < t->all->count && t->clock == TIMES_NONE; i++)
        if (column_of(t, i)->kind == COLUMN_TIMES && column_of(t, i)->clock)
            t->clock = i;
}

static bool find_given(times *t, size_t series, const char *given)
{
    if (!columns_find(t->all, given, &t->main))
        return false;
    if (t->main == series)
        return message_error("--time is column '%s', which has the values; expected "
                             "another one",
                             column_of(t, t->main)->name);
    const column *c = column_of(t, t->main);
    if (c->kind == COLUMN_TIMES || c->kind == COLUMN_NUMBERS)
        return true;
    return message_error("column '%s' has neither times nor numbers", c->name);
}

bool times_choose(times *t, const columns *all, size_t series,
                  const forecast_options *options)
{
    const char *given = options->time;
    *t = (times){.all = all,
                 .options = options,
                 .main = TIMES_NONE,
                 .clock = TIMES_NONE,
                 .end = all->end};
    for (part kind = PART_NONE; kind < PARTS; kind++)
        t->parts[kind] = TIMES_NONE;
    if (given && strcmp(given, "none") == 0)
        return true;
    if (given && !find_given(t, series, given))
        return false;
    if (!given)
        find_main(t, series, false);
    find_clock(t);
    find_parts(t, series);
    check_parts(t);
    if (!given && !times_found(t))
        find_main(t, series, true);
    if (!given && !times_found(t))
        find_counter(t, series);
    if (t->main != TIMES_NONE)
        t->order = column_of(t, t->main)->order;
    find_end(t);
    return true;
}

bool times_found(const times *t)
{
    return t->main != TIMES_NONE || t->parts[PART_YEAR] != TIMES_NONE;
}

void times_name(const times *t, char *text, size_t size)
{
    const size_t order[] = {t->main,
                            t->clock,
                            t->parts[PART_YEAR],
                            t->parts[PART_QUARTER],
                            t->parts[PART_MONTH],
                            t->parts[PART_WEEK],
                            t->parts[PART_DAY],
                            t->parts[PART_HOUR],
                            t->parts[PART_MINUTE]};
    size_t length = 0;
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        if (order[i] != TIMES_NONE && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%s",
                                       length ? " " : "", column_of(t, order[i])->name);
}
