#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/forecast/ticks.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* The smallest of 1, 2 and 5 times a power of ten that is not below a number. */
static double round_up(double least)
{
    double power = pow(10, floor(log10(least)));
    static const double factors[] = {1, 2, 5};
    for (size_t i = 0; i < 3; i++)
        if (factors[i] * power >= least * (1 - 1e-9))
            return factors[i] * power;
    return 10 * power;
}

/* Writes a number with the digits that tell it from its neighbours: few of them with an
 * exponent if it is large or small. */
static void print_number(double value, double step, double largest, char *text)
{
    double first = floor(log10(largest) + 1e-9), last = floor(log10(step) + 1e-9);
    bool small = first<-4, large = first> 5 && first - last < 5;
    if (fabs(value) < step / 2)
        snprintf(text, TICKS_LABEL, "0");
    else if (small || large || first > 16 || last < -17) {
        double digits = floor(log10(fabs(value)) + 1e-9) - last;
        snprintf(text, TICKS_LABEL, "%.*e", digits > 0 ? (int)fmin(digits, 16) : 0,
                 value);
    } else
        snprintf(text, TICKS_LABEL, "%.*f", last < 0 ? (int)-last : 0, value);
}

void ticks_of_numbers(ticks *t, double low, double high, size_t count)
{
    double step = round_up((high / 2 - low / 2) / (double)count * 2);
    double largest = fmax(fabs(low), fabs(high)), first = ceil(low / step - 1e-9);
    t->count = 0;
    for (double i = first; t->count < TICKS_MOST; i++) {
        double value = i * step;
        if (!(value <= high + step * 1e-9) || !isfinite(value) || !(step > 0))
            return;
        t->at[t->count] = value;
        print_number(value, step, largest, t->labels[t->count]);
        t->count++;
    }
}

static void add(ticks *t, double seconds, double origin, const char *format)
{
    long year;
    int month, day;
    double days = floor((origin + seconds) / DAY);
    double rest = origin - DAY * days + seconds;
    char *text = t->labels[t->count];
    csv_date_of_days((long)days, &year, &month, &day);
    int hour = (int)(rest / HOUR), minute = (int)(fmod(rest, HOUR) / MINUTE);
    if (strcmp(format, "year") == 0)
        snprintf(text, TICKS_LABEL, "%04ld", year);
    else if (strcmp(format, "month") == 0)
        snprintf(text, TICKS_LABEL, "%04ld-%02d", year, month);
    else if (strcmp(format, "day") == 0)
        snprintf(text, TICKS_LABEL, "%04ld-%02d-%02d", year, month, day);
    else if (strcmp(format, "minute") == 0)
        snprintf(text, TICKS_LABEL, "%02d-%02d %02d:%02d", month, day, hour, minute);
    else if (strcmp(format, "clock") == 0)
        snprintf(text, TICKS_LABEL, "%02d:%02d", hour, minute);
    else {
        /* "0" to "9" is the number of digits of a second. */
        int digits = *format - '0';
        snprintf(text, TICKS_LABEL, "%02d:%02d:%0*.*f", hour, minute,
                 digits ? digits + 3 : 2, digits, fmod(rest, MINUTE));
    }
    t->at[t->count++] = seconds;
}

/* Ticks at the first days of months. */
static void of_months(ticks *t, double low, double high, long step)
{
    long year;
    int month, day;
    csv_date_of_days((long)floor(low / DAY), &year, &month, &day);
    long at = 12 * year + month - 1;
    for (at -= at % step; t->count < TICKS_MOST; at += step) {
        double seconds =
            (double)DAY * (double)csv_days_of_date(at / 12, (int)(at % 12) + 1, 1);
        if (seconds > high)
            return;
        if (seconds >= low)
            add(t, seconds, 0, step % 12 == 0 ? "year" : "month");
    }
}

/* Ticks at multiples of a number of seconds after the origin. */
static void of_seconds(ticks *t, const axis *a, double low, double high, double step)
{
    char digits[2] = {(char)('0' + (int)fmin(9, fmax(0, ceil(-log10(step) - 1e-9)))),
                      0};
    const char *format = step < MINUTE           ? digits
                         : a->kind == AXIS_CLOCK ? "clock"
                         : step >= DAY           ? "day"
                                                 : "minute";
    double first = ceil(low / step);
    for (double i = first; i * step <= high && t->count < TICKS_MOST; i++)
        add(t, i * step, a->origin, format);
}

void ticks_of_axis(ticks *t, const axis *a, double low, double high, size_t count)
{
    static const double seconds[] = {
        1,        2,        5,         10,  15,      30,      MINUTE,
        120,      300,      600,       900, 1800,    HOUR,    2 * HOUR,
        3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY};
    static const long months[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200};
    double least = (high - low) / (double)count;
    t->count = 0;
    if (a->kind <= AXIS_NUMBERS) {
        /* Rows have whole numbers. */
        if (a->kind == AXIS_ROWS && high - low < (double)count)
            count = (size_t)fmax(1, floor(high - low));
        ticks_of_numbers(t, low, high, count);
        return;
    }
    bool clock = a->kind == AXIS_SECONDS || a->kind == AXIS_CLOCK;
    bool whole = a->kind >= AXIS_HALVES && a->kind <= AXIS_MONTHS;
    if (least < 1 && clock) {
        of_seconds(t, a, low, high, round_up(least));
        return;
    }
    for (size_t i = clock ? 0 : 17; !whole && i < 21; i++)
        if (seconds[i] >= least || (i == 20 && a->kind == AXIS_CLOCK)) {
            of_seconds(t, a, low, high, fmax(least, seconds[i]));
            return;
        }
    for (size_t i = 0; i < 11; i++)
        if (30.4 * DAY * (double)months[i] >= least || i == 10) {
            of_months(t, low, high, months[i]);
            return;
        }
}
