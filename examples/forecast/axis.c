#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/forecast/footer.h"
#include "examples/forecast/rejected.h"
#include "examples/forecast/times.h"

enum { DAY = 86400 };

/* Times of day go on at midnight, forwards or backwards. */
static void unwrap(axis *a)
{
    double days = 0;
    for (size_t i = 1; i < a->count; i++) {
        a->at[i] += days;
        double step = a->at[i] - a->at[i - 1];
        double turn = step < -DAY / 2.0 ? DAY : step > DAY / 2.0 ? -DAY : 0;
        a->at[i] += turn;
        days += turn;
    }
}

/* Sets the rows of the axis. Blank rows have no time, and are said. */
static void set_rows(axis *a, const times *t)
{
    size_t blank = 0, first = 0;
    for (size_t row = t->all->first; row < t->end; row++)
        if (!times_found(t) || !footer_is_blank(t->all->table, row))
            a->rows[a->count++] = row;
        else if (blank++ == 0)
            first = row;
    if (blank > 0)
        message_info("rows without a time and values are left out: %zu, the first in "
                     "line %zu",
                     blank, csv_line(t->all->table, first));
}

static bool allocate(axis *a, const times *t, double **nanoseconds)
{
    size_t rows = t->end - t->all->first;
    /* Missing times may be added. */
    a->at = calloc(2 * rows + 1, sizeof(*a->at));
    a->rows = calloc(2 * rows + 1, sizeof(*a->rows));
    *nanoseconds = calloc(rows + 1, sizeof(**nanoseconds));
    if (!a->at || !a->rows || !*nanoseconds)
        return message_error("no memory");
    set_rows(a, t);
    return true;
}

/* Joins seconds and parts of them, from an origin that keeps their digits. */
static void add_parts(axis *a, const double *nanoseconds, int digits)
{
    if (digits == 0)
        return;
    a->digits = digits < CSV_MOST_DIGITS ? digits : CSV_MOST_DIGITS;
    if (digits > CSV_MOST_DIGITS)
        message_warning("time axis '%s': seconds have %d digits, of which %d are used",
                        a->name, digits, CSV_MOST_DIGITS);
    a->origin = a->at[0];
    for (size_t i = 0; i < a->count; i++)
        a->at[i] = a->at[i] - a->origin + nanoseconds[i] / 1e9;
}

/* How many steps are not the usual one; SIZE_MAX if times do not all rise or fall. */
static bool count_faults(const axis *a, size_t *faults)
{
    rule r;
    double *at = calloc(a->count + 1, sizeof(*at));
    bool falls = a->count > 1 && a->at[1] < a->at[0];
    *faults = 0;
    if (!at)
        return message_error("no memory");
    for (size_t i = 0; i < a->count; i++) {
        at[i] = a->at[falls ? a->count - 1 - i : i];
        if (i > 0 && at[i] <= at[i - 1])
            *faults = SIZE_MAX;
    }
    bool done = *faults || a->count < 2 || rule_find(&r, at, a->count, true);
    for (size_t i = 1; done && *faults != SIZE_MAX && i < a->count; i++)
        *faults += rule_whole_steps(&r, at[i - 1], at[i]) != 1;
    free(at);
    return done;
}

/* Says which order of day, month and year was taken. */
static void say_order(const times *t, csv_order order)
{
    static const char *const orders[] = {"month, day, year", "day, month, year",
                                         "year, month, day"};
    char text[40];
    const char *field = csv_field(t->all->table, t->all->first, t->main);
    message_warning(
        "column '%s': dates such as %s are taken as %s; --dates mdy, dmy or "
        "ymd chooses",
        t->all->all[t->main].name, columns_shown(field, text, sizeof(text)),
        orders[order]);
}

/* Reads the times in each order that is possible, and leaves the order in which the
 * steps are most regular. */
static bool choose_order(axis *a, times *t, double *nanoseconds)
{
    size_t least = 0, faults, equal = 0;
    unsigned orders = t->main == TIMES_NONE ? 0 : t->all->all[t->main].orders;
    csv_order best = t->order;
    for (csv_order order = CSV_MDY; orders && order <= CSV_YMD; order++) {
        if (!(orders >> order & 1))
            continue;
        t->order = order;
        if (!times_read(t, a, nanoseconds) || !count_faults(a, &faults))
            return false;
        if (equal == 0 || faults < least) {
            least = faults;
            best = order;
            equal = 0;
        }
        equal += faults == least;
    }
    t->order = best;
    /* Steps that are irregular in each order do not tell it. */
    if (equal > 1 || least > a->count / 20)
        say_order(t, best);
    return true;
}

static axis_kind kind_of(const times *t)
{
    static const axis_kind kinds[] = {
        [CSV_CLOCK] = AXIS_CLOCK,      [CSV_HALF] = AXIS_HALVES,
        [CSV_QUARTER] = AXIS_QUARTERS, [CSV_MONTH] = AXIS_MONTHS,
        [CSV_WEEK] = AXIS_WEEKS,       [CSV_DAY] = AXIS_DAYS,
        [CSV_SECOND] = AXIS_SECONDS};
    bool numbers = t->main != TIMES_NONE && t->all->all[t->main].kind == COLUMN_NUMBERS;
    return numbers && t->clock == TIMES_NONE ? AXIS_NUMBERS : kinds[t->precision];
}

static bool has_whole_days(const axis *a)
{
    for (size_t i = 1; i < a->count; i++)
        if (fabs(fmod(a->at[i] - a->at[0], DAY)) > 0)
            return false;
    return true;
}

/* Reads times without their offsets if these are what keeps them from being on days:
 * the offset changes in summer. */
static bool read_local(axis *a, times *t, double *nanoseconds)
{
    t->local = true;
    if (!times_read(t, a, nanoseconds))
        return false;
    t->local = has_whole_days(a);
    if (t->local)
        message_warning("time axis '%s': local times, whose offsets are left out",
                        a->name);
    return t->local || times_read(t, a, nanoseconds);
}

/* Says that years of two digits could be those of the last century. */
static void say_years(const axis *a)
{
    /* Seconds of 2040-01-01. */
    const double late = 2208988800;
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i] >= late) {
            message_warning("time axis '%s': years of two digits are taken as 1969 to "
                            "2068; write four digits for others",
                            a->name);
            return;
        }
}

static bool read_all(axis *a, times *t, double *nanoseconds)
{
    unsigned orders = t->main == TIMES_NONE ? 0 : t->all->all[t->main].orders;
    if ((orders & (orders - 1)) && !choose_order(a, t, nanoseconds))
        return false;
    if (!times_read(t, a, nanoseconds))
        return false;
    if (t->zoned > 0 && t->zoned < a->count)
        return message_error(
            "time axis '%s': %zu of %zu times have an offset or Z, the "
            "others not; expected all or none; --time none reads the "
            "rows without them",
            a->name, t->zoned, a->count);
    if (t->offsets && !read_local(a, t, nanoseconds))
        return false;
    a->kind = kind_of(t);
    a->zoned = t->zoned > 0 && !t->local;
    if (t->short_years)
        say_years(a);
    if (a->kind == AXIS_CLOCK)
        unwrap(a);
    if (a->kind != AXIS_NUMBERS)
        add_parts(a, nanoseconds, t->digits);
    return true;
}

bool axis_read(axis *a, const columns *all, size_t series,
               const forecast_options *options)
{
    times t;
    double *nanoseconds = NULL;
    *a = (axis){.name = "row"};
    if (!times_choose(&t, all, series, options) || !allocate(a, &t, &nanoseconds)) {
        free(nanoseconds);
        return false;
    }
    bool done = true;
    if (times_found(&t)) {
        times_name(&t, a->name, sizeof(a->name));
        done = read_all(a, &t, nanoseconds);
    } else if (!options->time) {
        rejected_say(all, series);
    }
    free(nanoseconds);
    return done;
}

/* Line in the file of a row in the order of the axis. */
static size_t line_of(const axis *a, const columns *all, size_t i)
{
    return csv_line(all->table, a->rows[i]);
}

/* Says that times repeat or go backwards; the axis then counts rows. */
static void give_up(axis *a, const columns *all, size_t repeats, size_t backwards)
{
    size_t first = 1;
    while (a->at[first] > a->at[first - 1])
        first++;
    message_warning(
        "time axis '%s': repeated times: %zu, steps backwards: %zu, the first in line "
        "%zu; rows keep their order and are counted instead%s",
        a->name, repeats, backwards, line_of(a, all, first),
        rejected_hint(a->at, a->count));
    a->kind = AXIS_ROWS;
}

static void reverse(axis *a)
{
    for (size_t i = 0; i < a->count / 2; i++) {
        size_t last = a->count - 1 - i, row = a->rows[i];
        double other = a->at[i];
        a->at[i] = a->at[last];
        a->at[last] = other;
        a->rows[i] = a->rows[last];
        a->rows[last] = row;
    }
    message_warning(
        "time axis '%s': the newest row is the first; rows are read from the "
        "last to the first",
        a->name);
}

/* Steps that do not follow the rule, times that are missing, and the row before the
 * first of either. */
typedef struct faults {
    size_t irregular, missing, first;
} faults;

static faults find_faults(const axis *a)
{
    faults found = {0};
    for (size_t i = 1; i < a->count; i++) {
        size_t steps = rule_whole_steps(&a->rule, a->at[i - 1], a->at[i]);
        found.irregular += steps == 0;
        found.missing += steps > 1 ? steps - 1 : 0;
        if (steps != 1 && found.irregular + found.missing == (steps ? steps - 1 : 1))
            found.first = i - 1;
    }
    return found;
}

/* Adds the times that are missing; there is room for as many as there are rows. */
static void add_missing(axis *a, size_t missing)
{
    size_t to = a->count + missing;
    for (size_t i = a->count; i-- > 0;) {
        size_t steps = i > 0 ? rule_whole_steps(&a->rule, a->at[i - 1], a->at[i]) : 1;
        a->at[--to] = a->at[i];
        a->rows[to] = a->rows[i];
        for (size_t step = steps; step-- > 1;) {
            a->at[--to] = rule_after(&a->rule, a->at[i - 1], step);
            a->rows[to] = AXIS_NO_ROW;
        }
    }
    a->count += missing;
}

/* Says that the times follow no rule; the axis then counts rows. */
static void say_irregular(axis *a, const faults *found, const char *step)
{
    message_warning(
        "time axis '%s': irregular: the usual step is %s, but steps that do "
        "not fit: %zu, missing times: %zu; the rows are counted instead, as "
        "if they were evenly spaced",
        a->name, step, found->irregular, found->missing);
    a->kind = AXIS_ROWS;
}

/* Treats times that are missing, and says so; false if they are refused. */
static bool treat_missing(axis *a, const columns *all, const faults *found,
                          const char *step, forecast_missing missing)
{
    char time[60];
    size_t line = line_of(a, all, found->first);
    axis_print(a, a->at[found->first], time, sizeof(time));
    if (found->irregular)
        message_warning("time axis '%s': the usual step is %s; steps that do not fit: "
                        "%zu; the values count as evenly spaced there",
                        a->name, step, found->irregular);
    if (found->missing == 0)
        return true;
    if (missing == FORECAST_REFUSE)
        return message_error(
            "time axis '%s': %zu times are missing, the first after %s "
            "(line %zu), as the usual step is %s; --missing "
            "interpolate or drop goes on",
            a->name, found->missing, time, line, step);
    message_warning(
        "time axis '%s': the usual step is %s; missing times (gaps): %zu, the "
        "first after %s (line %zu): %s",
        a->name, step, found->missing, time, line,
        missing == FORECAST_DROP ? "dropped, the values count as evenly spaced"
                                 : "values are interpolated");
    if (missing == FORECAST_INTERPOLATE)
        add_missing(a, found->missing);
    return true;
}

/* Finds the rule of times that rise. */
static bool check_rule(axis *a, const columns *all, forecast_missing missing)
{
    char step[60];
    if (!rule_find(&a->rule, a->at, a->count, axis_has_calendar(a) && a->digits == 0))
        return false;
    faults found = find_faults(a);
    rule_print(&a->rule, axis_has_calendar(a), step, sizeof(step));
    if (a->rule.any_day && a->kind > AXIS_MONTHS) {
        message_info("time axis '%s': on different days of its months; months are "
                     "counted",
                     a->name);
        a->kind = AXIS_MONTHS;
    }
    if (found.irregular > a->count / 20 || found.missing > a->count / 2) {
        say_irregular(a, &found, step);
        return true;
    }
    return treat_missing(a, all, &found, step, missing);
}

bool axis_check(axis *a, const columns *all, forecast_missing missing)
{
    size_t repeats = 0, backwards = 0;
    if (a->kind == AXIS_ROWS)
        return true;
    for (size_t i = 1; i < a->count; i++) {
        backwards += a->at[i] < a->at[i - 1];
        repeats += !(a->at[i] < a->at[i - 1]) && !(a->at[i] > a->at[i - 1]);
    }
    /* A few rows may be out of order. */
    size_t steps = a->count - 1 - repeats;
    if (backwards > 0 && 10 * backwards >= 9 * steps) {
        reverse(a);
        backwards = steps - backwards;
    }
    if (repeats + backwards > 0)
        give_up(a, all, repeats, backwards);
    if (a->kind == AXIS_ROWS || a->count < 2)
        return true;
    return check_rule(a, all, missing);
}

void axis_free(axis *a)
{
    free(a->at);
    free(a->rows);
    *a = (axis){0};
}

bool axis_has_calendar(const axis *a)
{
    return a->kind > AXIS_NUMBERS;
}

double axis_after(const axis *a, size_t row, size_t steps)
{
    if (a->kind == AXIS_ROWS)
        return (double)(row + steps + 1);
    return rule_after(&a->rule, a->at[row], steps);
}
