#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/forecast/series.h"

/* Numbers of a column that are missing, and the first and last of the others. */
typedef struct gaps {
    size_t count, first_missing, first, last, parentheses;
} gaps;

/* Reads the values; a missing one is NAN. */
static bool read_values(series *s, const columns *all, size_t index, gaps *found,
                        const forecast_options *options)
{
    const column *c = &all->all[index];
    char text[60];
    for (size_t i = 0; i < s->axis.count; i++) {
        csv_number number;
        size_t row = s->axis.rows[i];
        s->values[i] = NAN;
        if (row == AXIS_NO_ROW)
            continue;
        const char *field = csv_field(all->table, row, index);
        if (csv_is_missing(field)) {
            if (found->count++ == 0)
                found->first_missing = i;
            continue;
        }
        if (!csv_parse_number(field, c->decimal, &number))
            return message_error(
                "line %zu, column '%s': '%s' is %s%s%s", csv_line(all->table, row),
                c->name, columns_shown(field, text, sizeof(text)),
                number.beyond ? "too large or too small for a number" : "not a number",
                c->decimal == ',' ? " with a decimal comma" : "",
                row == 0 && options->header == FORECAST_HEADER_NO
                    ? "; --header no takes the first row as values"
                : options->decimal == '.' ? "; --decimal . is given"
                : options->decimal        ? "; --decimal , is given"
                                          : "");
        found->parentheses += number.parentheses;
        if (s->count++ == 0)
            found->first = i;
        found->last = i;
        s->values[i] = number.value;
        if (s->count == 1 || number.decimals > s->decimals)
            s->decimals = number.decimals;
    }
    return true;
}

static const char *delimiter_name(char delimiter)
{
    return delimiter == ','          ? "commas"
           : delimiter == ';'        ? "semicolons"
           : delimiter == '\t'       ? "tabs"
           : delimiter == '|'        ? "bars"
           : delimiter == CSV_BLANKS ? "blanks"
                                     : "no delimiter";
}

/* Appends to a text of a size. */
__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size,
                                                      const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

/* Names the other columns of numbers. */
static void add_others(char *text, size_t size, const columns *all, size_t index)
{
    enum { SHOWN = 5 };
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (i != index && all->all[i].kind == COLUMN_NUMBERS && all->all[i].measures &&
            count++ < SHOWN)
            add(text, size, "%s'%s'", count == 1 ? " (others of numbers: " : ", ",
                all->all[i].name);
    if (count > SHOWN)
        add(text, size, " and %zu more", count - SHOWN);
    if (count)
        add(text, size, "; --column chooses)");
}

/* Says which decimal sign was taken, if the other one gives other numbers. */
static void say_decimal(const columns *all, size_t index)
{
    const column *c = &all->all[index];
    char text[60], other = c->decimal == ',' ? '.' : ',';
    csv_number one, two;
    for (size_t row = all->first; c->ambiguous && row < all->end; row++) {
        const char *field = csv_field(all->table, row, index);
        if (!csv_parse_number(field, c->decimal, &one) ||
            !csv_parse_number(field, other, &two) || !(fabs(one.value - two.value) > 0))
            continue;
        message_warning(
            "column '%s': %s is taken as %.15g; --decimal %c for the other, "
            "%.15g",
            c->name, columns_shown(field, text, sizeof(text)), one.value, other,
            two.value);
        return;
    }
}

/* Says in one line what was taken for what. */
static void say_dialect(const series *s, const columns *all, size_t index,
                        const forecast_options *options)
{
    char text[2000] = "";
    const csv_table *table = all->table;
    const column *c = &all->all[index];
    add(text, sizeof(text), "%s: %s, %s, decimal %s", input_name(options->path),
        delimiter_name(table->delimiter),
        all->first ? "names in the first row" : "no names",
        c->decimal == ',' ? "comma" : "point");
    if (strcmp(table->encoding, "UTF-8") != 0)
        add(text, sizeof(text), ", %s", table->encoding);
    if (table->before)
        add(text, sizeof(text), ", lines before the table: %zu", table->before);
    if (table->after)
        add(text, sizeof(text), ", notes after the table: %zu from line %zu on",
            table->after, table->after_line);
    if (table->comments)
        add(text, sizeof(text), ", lines of comments: %zu", table->comments);
    if (table->blank)
        add(text, sizeof(text), ", blank lines in the table: %zu", table->blank);
    add(text, sizeof(text), "; column '%s'", c->name);
    if (!options->column)
        add_others(text, sizeof(text), all, index);
    if (s->axis.kind != AXIS_ROWS)
        add(text, sizeof(text), ", time axis '%s'", s->axis.name);
    columns_add_texts(all, text, sizeof(text));
    message_info("%s", text);
    say_decimal(all, index);
}

/* Says how many values are missing, and what comes of them; false if they are refused.
 */
static bool say_missing(const series *s, const columns *all, const gaps *found,
                        forecast_missing missing)
{
    size_t ends = found->first + (s->axis.count - 1 - found->last);
    size_t line = csv_line(all->table, s->axis.rows[found->first_missing]);
    char what[160] = "";
    if (found->count == 0)
        return true;
    if (missing == FORECAST_REFUSE)
        return message_error("column '%s': %zu of %zu values are missing, the first in "
                             "line %zu; --missing interpolate or drop goes on",
                             s->name, found->count, s->axis.count, line);
    if (missing == FORECAST_DROP)
        snprintf(what, sizeof(what), "their rows are dropped");
    else if (ends == found->count)
        snprintf(what, sizeof(what),
                 "all before the first or after the last value, "
                 "and left out");
    else if (ends > 0)
        snprintf(what, sizeof(what),
                 "%zu are interpolated, %zu before the first or "
                 "after the last value are left out",
                 found->count - ends, ends);
    else
        snprintf(what, sizeof(what), "they are interpolated");
    message_warning(
        "column '%s': %zu of %zu values are missing, the first in line %zu: "
        "%s",
        s->name, found->count, s->axis.count, line, what);
    return true;
}

/* Refuses a last value that is the sum of the others, as in a row of totals, and not
 * that of a growth such as 1, 2, 4. A sum that is far from the others may be that of
 * numbers before they were rounded. */
static bool check_total(const series *s, const columns *all, const gaps *found)
{
    double sum = 0, most = 0, last = s->values[found->last];
    for (size_t i = found->first; i < found->last; i++)
        if (!isnan(s->values[i])) {
            sum += s->values[i];
            most = fmax(most, fabs(s->values[i]));
        }
    double digit = pow(10, -s->decimals), rounding = 0.51 * digit;
    if (fabs(last) > 10 * most)
        rounding = 1.2 * sqrt((double)s->count) * digit;
    rounding += 1e-12 * fabs(sum);
    return fabs(last) <= 3 * most || fabs(last - sum) > rounding ||
           message_error("line %zu, column '%s': %.15g is the sum of all values before "
                         "it, as in a row of totals; expected the next value",
                         csv_line(all->table, s->axis.rows[found->last]), s->name,
                         last);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The size that numbers far from nine tenths of the others begin with, and their
 * number; INFINITY without such. */
static double find_far(const series *s, const gaps *found, size_t *far)
{
    const double times = 30;
    size_t count = 0;
    double *sizes = calloc(s->count + 1, sizeof(*sizes)), begin = INFINITY;
    *far = 0;
    for (size_t i = found->first; sizes && i <= found->last; i++)
        if (!isnan(s->values[i]))
            sizes[count++] = fabs(s->values[i]);
    if (count > 0)
        qsort(sizes, count, sizeof(*sizes), compare);
    for (size_t i = count - count / 10; i < count && isinf(begin); i++)
        if (sizes[i - 1] > 0 && sizes[i] >= times * sizes[i - 1]) {
            begin = sizes[i];
            *far = count - i;
        }
    free(sizes);
    return begin;
}

/* Says when numbers are many times as large as all others. */
static void say_far(const series *s, const columns *all, const gaps *found)
{
    size_t far, first = found->first;
    double begin = find_far(s, found, &far);
    if (far == 0)
        return;
    while (isnan(s->values[first]) || fabs(s->values[first]) < begin)
        first++;
    message_warning("column '%s': numbers such as %.15g (line %zu) are far from the "
                    "others: %zu; expected no totals and no other decimal sign or unit",
                    s->name, s->values[first],
                    csv_line(all->table, s->axis.rows[first]), far);
}

/* Whether a number consists of nines, as marks of missing values do. */
static bool is_nines(double value)
{
    double nines = 999;
    while (nines < fabs(value) && nines < 1e9)
        nines = 10 * nines + 9;
    return fabs(fabs(value) - nines) <= 0;
}

/* Says when a number is far from the others and could be a mark of missing values. */
static void say_marks(const series *s, const columns *all, const gaps *found)
{
    double low = INFINITY, high = -INFINITY;
    size_t marks = 0, first = 0;
    for (size_t i = found->first; i <= found->last; i++)
        if (!isnan(s->values[i]) && !is_nines(s->values[i])) {
            low = fmin(low, s->values[i]);
            high = fmax(high, s->values[i]);
        }
    for (size_t i = found->first; i <= found->last; i++) {
        double value = s->values[i], beyond = fmax(low - value, value - high);
        if (is_nines(value) && beyond > high - low && marks++ == 0)
            first = i;
    }
    if (marks > 0)
        message_warning(
            "column '%s': numbers such as %.15g (line %zu) are far from the "
            "others: %zu; if they mark missing values, they must be empty",
            s->name, s->values[first], csv_line(all->table, s->axis.rows[first]),
            marks);
    else
        say_far(s, all, found);
}

/* Fills gaps between values on straight lines. The factors avoid an overflow of the
 * difference. */
static void interpolate(double *values, size_t count)
{
    for (size_t i = 1, last = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        for (size_t j = last + 1; j < i; j++) {
            double share = (double)(j - last) / (double)(i - last);
            values[j] = (1 - share) * values[last] + share * values[i];
        }
        last = i;
    }
}

/* Keeps the values from the first to the last one, or only those that are there. */
static void close_up(series *s, const gaps *found, forecast_missing missing)
{
    size_t kept = 0;
    if (missing == FORECAST_INTERPOLATE)
        interpolate(s->values + found->first, found->last + 1 - found->first);
    for (size_t i = found->first; i <= found->last; i++) {
        if (isnan(s->values[i]))
            continue;
        s->times[kept] = axis_after(&s->axis, i, 0);
        s->values[kept++] = s->values[i];
    }
    s->count = kept;
    s->last_row = found->last;
}

/* Leaves the last values. */
static void shorten(series *s)
{
    size_t left_out = s->count > SERIES_MOST ? s->count - SERIES_MOST : 0;
    if (left_out == 0)
        return;
    message_warning("column '%s': only the last %d of %zu values are used", s->name,
                    SERIES_MOST, s->count);
    s->count = SERIES_MOST;
    memmove(s->values, s->values + left_out, SERIES_MOST * sizeof(*s->values));
    memmove(s->times, s->times + left_out, SERIES_MOST * sizeof(*s->times));
}

static bool fill(series *s, const columns *all, size_t index,
                 const forecast_options *options)
{
    gaps found = {0};
    s->values = calloc(s->axis.count + 1, sizeof(*s->values));
    s->times = calloc(s->axis.count + 1, sizeof(*s->times));
    if (!s->values || !s->times)
        return message_error("no memory");
    if (!read_values(s, all, index, &found, options))
        return false;
    if (found.parentheses)
        message_warning("column '%s': %zu numbers in parentheses are negative", s->name,
                        found.parentheses);
    if (s->count < SERIES_FEWEST)
        return message_error("column '%s' has %zu number%s, expected at least %d%s",
                             s->name, s->count, number_plural(s->count), SERIES_FEWEST,
                             all->count >= SERIES_FEWEST
                                 ? "; a series is a column of the table, not a row"
                                 : "");
    if (!check_total(s, all, &found) || !say_missing(s, all, &found, options->missing))
        return false;
    say_marks(s, all, &found);
    close_up(s, &found, options->missing);
    shorten(s);
    return true;
}

bool series_read(series *s, const columns *all, const forecast_options *options)
{
    size_t index;
    *s = (series){0};
    if (options->column ? !columns_find(all, options->column, &index)
                        : !columns_choose(all, &index))
        return false;
    s->name = all->all[index].name;
    if (columns_need_numbers(all, index) && axis_read(&s->axis, all, index, options)) {
        say_dialect(s, all, index, options);
        if (axis_check(&s->axis, all, options->missing) && fill(s, all, index, options))
            return true;
    }
    series_free(s);
    return false;
}

void series_free(series *s)
{
    free(s->values);
    free(s->times);
    axis_free(&s->axis);
    *s = (series){0};
}
