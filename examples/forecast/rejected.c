#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/forecast/rejected.h"

/* Says that the form of a time is not known. */
static bool say_unknown(const columns *all, size_t index)
{
    char text[60];
    const column *c = &all->all[index];
    const char *field =
        c->text_row ? csv_field(all->table, c->text_row - 1, index) : "";
    if (c->part != PART_NONE || !strpbrk(field, "0123456789") ||
        !(part_is_time_name(c->name) || part_looks_like_time(field)))
        return false;
    message_warning("line %zu, column '%s': '%s' looks like a time, but its form is "
                    "not known; the rows are counted",
                    csv_line(all->table, c->text_row - 1), c->name,
                    columns_shown(field, text, sizeof(text)));
    return true;
}

/* Says that a field is not like the others of what would be the time axis. */
static bool say_odd(const columns *all, size_t index)
{
    char text[60];
    const column *c = &all->all[index];
    if (c->odd_row == 0)
        return false;
    message_warning("line %zu, column '%s': '%s' is not like the others; the column is "
                    "not the time axis, and the rows are counted, this one too",
                    csv_line(all->table, c->odd_row - 1), c->name,
                    columns_shown(csv_field(all->table, c->odd_row - 1, index), text,
                                  sizeof(text)));
    return true;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

const char *rejected_hint(const double *at, size_t count)
{
    size_t repeats = 0;
    double *sorted = calloc(count + 1, sizeof(*sorted));
    if (!sorted)
        return "";
    memcpy(sorted, at, count * sizeof(*at));
    qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 1; i < count; i++)
        repeats += !(sorted[i] > sorted[i - 1]);
    free(sorted);
    return repeats > count / 10 ? "; are there several series in one column?" : "";
}

/* Reads the numbers of a column into [rows] at; the number of them, and how often one
 * is not after the one before, the first time in a row, and how often it is smaller. */
static size_t read_numbers(const columns *all, size_t index, double *at, size_t *faults,
                           size_t *first, size_t *backwards)
{
    size_t count = 0;
    csv_number number;
    *faults = *backwards = 0;
    for (size_t row = all->first; row < all->end; row++) {
        if (!csv_parse_number(csv_field(all->table, row, index),
                              all->all[index].decimal, &number))
            continue;
        at[count] = number.value;
        bool after = count == 0 || at[count] > at[count - 1];
        if (!after && (*faults)++ == 0)
            *first = row;
        *backwards += !after && at[count] < at[count - 1];
        count++;
    }
    return count;
}

/* Says that years repeat or go backwards, or that a counter begins again. */
static bool say_restart(const columns *all, size_t index)
{
    const column *c = &all->all[index];
    bool year = c->part == PART_YEAR;
    size_t faults, first = 0, backwards;
    if (c->kind != COLUMN_NUMBERS || c->counts ||
        !(year || (c->part == PART_NONE && part_is_counter_name(c->name))))
        return false;
    double *at = calloc(all->end + 1, sizeof(*at));
    if (!at)
        return false;
    size_t count = read_numbers(all, index, at, &faults, &first, &backwards);
    const char *hint = rejected_hint(at, count);
    bool again = faults > 0 && (year || (*hint && backwards <= count / 10));
    free(at);
    if (again)
        message_warning("column '%s' is not the time axis: numbers that are not after "
                        "the one before: %zu, the first in line %zu; the rows are "
                        "counted instead%s",
                        c->name, faults, csv_line(all->table, first), hint);
    return again;
}

void rejected_say(const columns *all, size_t series)
{
    static bool (*const reasons[])(const columns *, size_t) = {say_unknown, say_odd,
                                                               say_restart};
    for (size_t reason = 0; reason < sizeof(reasons) / sizeof(*reasons); reason++)
        for (size_t i = 0; i < all->count; i++)
            if (i != series && reasons[reason](all, i))
                return;
}
