#include <math.h>
#include <stdio.h>

#include "examples/forecast/axis.h"

enum { DAY = 86400, HOUR = 3600, MINUTE = 60 };

/* Writes a month, a quarter, a half of a year, a week or a date; its length. */
static int print_date(const axis *a, long days, char *text, size_t size)
{
    long year;
    int month, day;
    csv_date_of_days(days, &year, &month, &day);
    if (a->kind == AXIS_HALVES)
        return snprintf(text, size, "%04ld-H%d", year, (month + 5) / 6);
    if (a->kind == AXIS_QUARTERS)
        return snprintf(text, size, "%04ld-Q%d", year, (month + 2) / 3);
    if (a->kind == AXIS_MONTHS)
        return snprintf(text, size, "%04ld-%02d", year, month);
    if (a->kind == AXIS_WEEKS) {
        csv_week_of_days(days, &year, &day);
        return snprintf(text, size, "%04ld-W%02d", year, day);
    }
    return snprintf(text, size, "%04ld-%02d-%02d", year, month, day);
}

/* Writes a time of day; without seconds if no time of day has any. */
static void print_clock(const axis *a, long second, long long units, char *text,
                        size_t size)
{
    bool minutes = a->kind == AXIS_CLOCK && a->digits == 0 &&
                   !(fabs(fmod(a->rule.step, MINUTE)) > 0) &&
                   !(fabs(fmod(a->at[0], MINUTE)) > 0);
    int hour = (int)(second / HOUR), minute = (int)(second % HOUR / MINUTE);
    if (minutes)
        snprintf(text, size, "%02d:%02d", hour, minute);
    else if (a->digits)
        snprintf(text, size, "%02d:%02d:%02d.%0*lld%s", hour, minute,
                 (int)(second % MINUTE), a->digits, units, a->zoned ? "Z" : "");
    else
        snprintf(text, size, "%02d:%02d:%02d%s", hour, minute, (int)(second % MINUTE),
                 a->zoned ? "Z" : "");
}

static void print_time(const axis *a, double time, char *text, size_t size)
{
    double unit = pow(10, a->digits), rounded = round(time * unit);
    double whole = floor(rounded / unit);
    long long units = (long long)(rounded - whole * unit);
    double seconds = a->origin + whole, days = floor(seconds / DAY);
    int length = 0;
    if (a->kind != AXIS_CLOCK)
        length = print_date(a, (long)days, text, size);
    if (length < 0 || (size_t)length + 1 >= size)
        return;
    if (a->kind == AXIS_SECONDS)
        text[length++] = ' ';
    if (a->kind == AXIS_SECONDS || a->kind == AXIS_CLOCK)
        print_clock(a, (long)(seconds - DAY * days), units, text + length,
                    size - (size_t)length);
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
        print_time(a, time, text, size);
}
