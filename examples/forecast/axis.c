#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/forecast/axis.h"

enum { DAY = 86400 };

/* The columns that the times are read from. */
typedef struct source {
    const columns *all;
    const column *main, *clock;
    size_t index, clock_index;
    /** Precision of the most precise time. */
    csv_precision precision;
    bool zoned;
} source;

static bool refuse_field(const source *from, size_t row, size_t index)
{
    char text[60];
    const char *field = csv_field(from->all->table, row, index);
    const column *c = &from->all->all[index];
    const char *kind = c->kind == COLUMN_NUMBERS ? "number" : "time";
    if (csv_is_missing(field))
        return message_error(
            "line %zu, column '%s': has no %s, as the time axis needs; "
            "--time none reads the rows without the times, "
            "this one too",
            csv_line(from->all->table, row), c->name, kind);
    return message_error("line %zu, column '%s': '%s' is not a %s like the others of "
                         "the time axis; --time none reads the rows without it",
                         csv_line(from->all->table, row), c->name,
                         columns_shown(field, text, sizeof(text)), kind);
}

static bool read_number(axis *a, const source *from, size_t row, double *value)
{
    csv_number number;
    if (!csv_parse_number(csv_field(from->all->table, row, from->index),
                          from->main->decimal, &number))
        return refuse_field(from, row, from->index);
    if (number.decimals > a->decimals)
        a->decimals = number.decimals;
    *value = number.value;
    return true;
}

static bool read_time(source *from, size_t row, double *value)
{
    csv_time time, clock = {.precision = CSV_MONTH};
    if (!csv_parse_time(csv_field(from->all->table, row, from->index),
                        from->main->day_first, &time))
        return refuse_field(from, row, from->index);
    if (from->clock &&
        (!csv_parse_time(csv_field(from->all->table, row, from->clock_index), false,
                         &clock) ||
         clock.precision != CSV_CLOCK))
        return refuse_field(from, row, from->clock_index);
    if (from->clock || time.precision == CSV_CLOCK)
        time.precision = CSV_SECOND;
    if (time.precision > from->precision)
        from->precision = time.precision;
    from->zoned = from->zoned || time.zoned || clock.zoned;
    *value = time.seconds + clock.seconds;
    return true;
}

/* Times of day go on at midnight. */
static void unwrap(axis *a)
{
    double days = 0;
    for (size_t i = 1; i < a->count; i++) {
        a->at[i] += days;
        if (a->at[i] < a->at[i - 1] - DAY / 2.0) {
            a->at[i] += DAY;
            days += DAY;
        }
    }
}

static bool read_all(axis *a, source *from)
{
    a->count = from->all->end - from->all->first;
    a->at = calloc(a->count + 1, sizeof(*a->at));
    if (!a->at)
        return message_error("no memory");
    for (size_t i = 0; i < a->count; i++) {
        size_t row = from->all->first + i;
        if (from->main &&
            !(from->main->kind == COLUMN_NUMBERS ? read_number(a, from, row, &a->at[i])
                                                 : read_time(from, row, &a->at[i])))
            return false;
    }
    if (from->main && from->main->clock && from->main->kind == COLUMN_TIMES)
        unwrap(a);
    return true;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Months since year 0, and the day of the month. */
static long month_of(double seconds, int *day)
{
    long year;
    int month;
    csv_date_of_days((long)floor(seconds / DAY), &year, &month, day);
    return 12 * year + month - 1;
}

/* Whether a day is the last one of its month. */
static bool ends_month(double seconds)
{
    int day;
    month_of(seconds + DAY, &day);
    return day == 1;
}

/* Whether all times have the same day of the month, or are the last of their month, and
 * the time of the first one. */
static bool has_months(const axis *a)
{
    int first, day;
    bool same = true, last = true;
    month_of(a->at[0], &first);
    for (size_t i = 0; i < a->count; i++) {
        month_of(a->at[i], &day);
        same = same && day == first;
        last = last && ends_month(a->at[i]);
        if (fabs(fmod(a->at[i] - a->at[0], DAY)) > 0)
            return false;
    }
    return same || last;
}

/* Sets the usual step, the median; false without memory. */
static bool set_step(axis *a)
{
    int day;
    bool months = a->kind >= AXIS_MONTHS && has_months(a);
    double *steps = calloc(a->count, sizeof(*steps));
    if (!steps)
        return message_error("no memory");
    for (size_t i = 1; i < a->count; i++)
        steps[i - 1] =
            months ? (double)(month_of(a->at[i], &day) - month_of(a->at[i - 1], &day))
                   : a->at[i] - a->at[i - 1];
    qsort(steps, a->count - 1, sizeof(*steps), compare);
    a->step = steps[(a->count - 1) / 2];
    a->months = months ? (long)a->step : 0;
    free(steps);
    return true;
}

static void print_step(const axis *a, char *text, size_t size)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"day", DAY}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    size_t unit = 0;
    if (a->kind == AXIS_NUMBERS)
        snprintf(text, size, "%.10g", a->step);
    else if (a->months)
        snprintf(text, size, "%ld month%s", a->months, a->months == 1 ? "" : "s");
    else {
        while (unit < 3 && (a->step < units[unit].seconds ||
                            fabs(fmod(a->step, units[unit].seconds)) > 0))
            unit++;
        double count = a->step / units[unit].seconds;
        bool one = fabs(count - 1) <= 0;
        snprintf(text, size, "%.10g %s%s", count, units[unit].name, one ? "" : "s");
    }
}

/* Whether a step from one row to the next is another one than usual: longer by half, or
 * shorter. */
static int other_step(const axis *a, size_t i)
{
    int day;
    double step = a->at[i] - a->at[i - 1], usual = a->step;
    if (a->months)
        step = (double)(month_of(a->at[i], &day) - month_of(a->at[i - 1], &day));
    return step > 1.5 * usual ? 1 : step < 0.5 * usual ? -1 : 0;
}

/* Line in the file of a row in the order of the axis. */
static size_t line_of(const axis *a, const columns *all, size_t i)
{
    size_t row = a->reversed ? a->count - 1 - i : i;
    return csv_line(all->table, all->first + row);
}

/* Says where steps are longer or shorter than usual. */
static void say_gaps(const axis *a, const columns *all)
{
    size_t longer = 0, shorter = 0, first = 0;
    char step[60], time[60];
    for (size_t i = 1; i < a->count; i++) {
        int other = other_step(a, i);
        longer += other > 0;
        shorter += other < 0;
        if (other != 0 && first == 0)
            first = i;
    }
    if (first == 0)
        return;
    print_step(a, step, sizeof(step));
    axis_print(a, a->at[first - 1], time, sizeof(time));
    message_warning(
        "time axis '%s': the usual step is %s; longer steps (gaps): %zu, shorter: "
        "%zu, the first after %s (line %zu); the values count as evenly spaced",
        a->name, step, longer, shorter, time, line_of(a, all, first - 1));
}

/* Says that times repeat or go backwards; the axis then counts rows. */
static void give_up(axis *a, const columns *all, size_t repeats, size_t backwards)
{
    size_t first = 1;
    while (a->at[first] > a->at[first - 1])
        first++;
    message_warning(
        "time axis '%s': repeated times: %zu, steps backwards: %zu, the first in line "
        "%zu; rows keep their order and are counted instead",
        a->name, repeats, backwards, line_of(a, all, first));
    a->kind = AXIS_ROWS;
}

static void reverse(axis *a)
{
    a->reversed = true;
    for (size_t i = 0; i < a->count / 2; i++) {
        double other = a->at[i];
        a->at[i] = a->at[a->count - 1 - i];
        a->at[a->count - 1 - i] = other;
    }
    message_info("time axis '%s': the newest row is the first; rows are read from the "
                 "last to the first",
                 a->name);
}

/* Looks for the columns of times: a date, then one of times of day beside a date, then
 * a counter. */
static void choose(source *from, size_t series)
{
    const columns *all = from->all;
    for (int round = 0; round < 3 && !from->main; round++)
        for (size_t i = 0; i < all->count && !from->main; i++) {
            const column *c = &all->all[i];
            bool wanted = round == 2
                              ? c->counts
                              : c->kind == COLUMN_TIMES && c->clock == (round == 1);
            if (i != series && wanted) {
                from->main = c;
                from->index = i;
            }
        }
}

/* Looks for times of day beside dates. */
static void add_clock(source *from)
{
    csv_time time;
    const columns *all = from->all;
    if (!from->main || from->main->kind != COLUMN_TIMES || from->main->clock ||
        !csv_parse_time(csv_field(all->table, all->first, from->index),
                        from->main->day_first, &time) ||
        time.precision != CSV_DAY)
        return;
    for (size_t i = 0; i < all->count && !from->clock; i++)
        if (all->all[i].kind == COLUMN_TIMES && all->all[i].clock) {
            from->clock = &all->all[i];
            from->clock_index = i;
        }
}

static bool find_given(source *from, const char *given)
{
    if (!columns_find(from->all, given, &from->index))
        return false;
    from->main = &from->all->all[from->index];
    if (from->main->kind == COLUMN_TIMES || from->main->kind == COLUMN_NUMBERS)
        return true;
    return message_error("column '%s' has neither times nor numbers", from->main->name);
}

bool axis_read(axis *a, const columns *all, size_t series, const char *given)
{
    source from = {.all = all, .precision = CSV_CLOCK};
    *a = (axis){.name = "row"};
    if (given && strcmp(given, "none") != 0 && !find_given(&from, given))
        return false;
    if (!given)
        choose(&from, series);
    add_clock(&from);
    if (!read_all(a, &from))
        return false;
    if (!from.main)
        return true;
    a->name = from.main->name;
    a->zoned = from.zoned;
    a->kind = from.main->kind == COLUMN_NUMBERS ? AXIS_NUMBERS
              : from.precision == CSV_SECOND    ? AXIS_SECONDS
              : from.precision == CSV_MONTH     ? AXIS_MONTHS
                                                : AXIS_DAYS;
    return true;
}

bool axis_check(axis *a, const columns *all)
{
    size_t repeats = 0, backwards = 0;
    if (a->kind == AXIS_ROWS)
        return true;
    for (size_t i = 1; i < a->count; i++) {
        backwards += a->at[i] < a->at[i - 1];
        repeats += !(a->at[i] < a->at[i - 1]) && !(a->at[i] > a->at[i - 1]);
    }
    if (backwards > 0 && backwards + repeats == a->count - 1) {
        reverse(a);
        backwards = 0;
    }
    if (repeats + backwards > 0)
        give_up(a, all, repeats, backwards);
    if (a->kind == AXIS_ROWS || a->count < 2)
        return true;
    if (!set_step(a))
        return false;
    say_gaps(a, all);
    return true;
}

void axis_free(axis *a)
{
    free(a->at);
    *a = (axis){0};
}

/* A time some months later, the same day or the last one of the month. */
static double add_months(double seconds, long months)
{
    int day;
    double rest = seconds - DAY * floor(seconds / DAY);
    long month = month_of(seconds, &day) + months;
    bool last = ends_month(seconds) && day >= 28;
    long begin = csv_days_of_date(month / 12, (int)(month % 12) + 1, 1);
    long next = csv_days_of_date((month + 1) / 12, (int)((month + 1) % 12) + 1, 1);
    long length = next - begin;
    long chosen = last || day > length ? length : day;
    return (double)DAY * (double)(begin + chosen - 1) + rest;
}

double axis_after(const axis *a, size_t row, size_t steps)
{
    if (a->kind == AXIS_ROWS)
        return (double)(row + steps + 1);
    if (a->months)
        return add_months(a->at[row], a->months * (long)steps);
    return a->at[row] + a->step * (double)steps;
}

/* Writes a month, a date, or a date with the time of day. */
static void print_date(const axis *a, double time, char *text, size_t size)
{
    long year;
    int month, day;
    double days = floor(time / DAY), rest = time - DAY * days;
    csv_date_of_days((long)days, &year, &month, &day);
    if (a->kind == AXIS_MONTHS) {
        snprintf(text, size, "%04ld-%02d", year, month);
        return;
    }
    int length = snprintf(text, size, "%04ld-%02d-%02d", year, month, day);
    if (a->kind != AXIS_SECONDS || length < 0 || (size_t)length >= size)
        return;
    int hour = (int)(rest / 3600), minute = (int)(fmod(rest, 3600) / 60);
    double second = fmod(rest, 60);
    bool whole = fabs(second - floor(second)) <= 0;
    snprintf(text + length, size - (size_t)length,
             whole ? " %02d:%02d:%02.0f%s" : " %02d:%02d:%06.3f%s", hour, minute,
             second, a->zoned ? "Z" : "");
}

void axis_print(const axis *a, double time, char *text, size_t size)
{
    if (a->kind == AXIS_ROWS)
        snprintf(text, size, "%.0f", time);
    else if (a->kind == AXIS_NUMBERS && fabs(time) < 1e15)
        snprintf(text, size, "%.*f", a->decimals > 17 ? 17 : a->decimals, time);
    else if (a->kind == AXIS_NUMBERS)
        snprintf(text, size, "%.17g", time);
    else
        print_date(a, time, text, size);
}
