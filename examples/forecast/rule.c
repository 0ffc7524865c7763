#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/common/message.h"
#include "examples/csv/field.h"
#include "examples/forecast/rule.h"

enum { DAY = 86400 };

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static long days_of(double seconds)
{
    return (long)floor(seconds / DAY);
}

/* Months since year 0, the day of the month and the length of the month. */
static long month_of(double seconds, int *day, int *length)
{
    long year;
    int month;
    csv_date_of_days(days_of(seconds), &year, &month, day);
    long next = 12 * year + month;
    *length = (int)(csv_days_of_date(next / 12, (int)(next % 12) + 1, 1) -
                    csv_days_of_date(year, month, 1));
    return next - 1;
}

/* Whether a day of a month is the one that is wanted, or the last one before it. */
static bool is_day(int day, int length, int wanted)
{
    return day == (wanted < length ? wanted : length);
}

/* The largest day of the times that are not the wanted one; 0 if all are. */
static int largest_other(const double *at, size_t count, int wanted)
{
    int day, length, largest = 0;
    for (size_t i = 0; i < count; i++) {
        month_of(at[i], &day, &length);
        if (day > largest && !(wanted && is_day(day, length, wanted)))
            largest = day;
    }
    return largest;
}

/* Whether all times have one or two days of months. */
static bool find_months(rule *r, const double *at, size_t count)
{
    enum { LEAST_APART = 10 };
    int last = largest_other(at, count, 0), first = largest_other(at, count, last);
    r->kind = RULE_MONTHS;
    r->per_month = first ? 2 : 1;
    r->days[0] = first ? first : last;
    r->days[1] = last;
    for (size_t i = 0; first && i < count; i++) {
        int length, day;
        month_of(at[i], &day, &length);
        if (!is_day(day, length, first) && !is_day(day, length, last))
            return false;
    }
    return first == 0 || last - first >= LEAST_APART;
}

static void find_weekdays(rule *r, const double *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        r->weekdays |= 1U << csv_weekday_of_days(days_of(at[i]));
    for (unsigned mask = r->weekdays; mask; mask &= mask - 1)
        r->per_week++;
}

/* The number of a time among the places of the calendar. */
static double place_of(const rule *r, double seconds)
{
    int day, length;
    if (r->kind == RULE_MONTHS) {
        long month = month_of(seconds, &day, &length);
        bool second = r->per_month == 2 && is_day(day, length, r->days[1]);
        return (double)(r->per_month * month + second);
    }
    long days = days_of(seconds);
    int weekday = csv_weekday_of_days(days), rank = 0;
    for (int i = 0; i < weekday; i++)
        rank += (int)(r->weekdays >> i & 1);
    return (double)(r->per_week * ((days - weekday + 3) / 7) + rank);
}

/* Days since 1970 of a place. */
static long days_of_place(const rule *r, long place)
{
    int weekday = 0;
    if (r->kind == RULE_MONTHS) {
        long month = place / r->per_month;
        int wanted = r->days[place % r->per_month];
        long begin = csv_days_of_date(month / 12, (int)(month % 12) + 1, 1);
        long next = csv_days_of_date((month + 1) / 12, (int)((month + 1) % 12) + 1, 1);
        return wanted < next - begin ? begin + wanted - 1 : next - 1;
    }
    long week = (long)floor((double)place / (double)r->per_week);
    for (long rank = place - week * r->per_week;; weekday++)
        if ((r->weekdays >> weekday & 1) && rank-- == 0)
            break;
    /* Weeks are counted from the Monday before 1970-01-01, a Thursday. */
    return 7 * week - 3 + weekday;
}

double rule_steps(const rule *r, double from, double to)
{
    if (r->kind == RULE_EVEN)
        return (to - from) / r->step;
    return (place_of(r, to) - place_of(r, from)) / r->step;
}

size_t rule_whole_steps(const rule *r, double from, double to)
{
    /* Times of measurements vary by some part of a step. */
    const double most = 0.25;
    double steps = rule_steps(r, from, to), whole = round(steps);
    return fabs(steps - whole) <= most && whole < 1e9 ? (size_t)whole : 0;
}

double rule_after(const rule *r, double time, size_t steps)
{
    if (r->kind == RULE_EVEN)
        return time + r->step * (double)steps;
    double place = place_of(r, time) + r->step * (double)steps;
    return (double)DAY * (double)days_of_place(r, (long)place) +
           (time - (double)DAY * (double)days_of(time));
}

/* Sets the usual step, the median. */
static void set_step(rule *r, const double *at, size_t count, double *steps)
{
    r->step = 1;
    for (size_t i = 1; i < count; i++)
        steps[i - 1] = rule_steps(r, at[i - 1], at[i]);
    qsort(steps, count - 1, sizeof(*steps), compare);
    r->step = steps[(count - 1) / 2];
}

/* Whether each time is the same number of months after the one before, on any day, such
 * as the last one of trade, and not the same number of days. */
static bool find_any_days(rule *r, const double *at, size_t count)
{
    bool even = true;
    r->kind = RULE_MONTHS;
    r->any_day = true;
    r->per_month = r->days[0] = 1;
    r->step = 1;
    double months = rule_steps(r, at[0], at[1]);
    for (size_t i = 1; i < count; i++) {
        if (fabs(rule_steps(r, at[i - 1], at[i]) - months) > 0)
            return false;
        even = even && fabs(at[i] - at[i - 1] - (at[1] - at[0])) <= 0;
    }
    r->step = months;
    return months >= 1 && !even;
}

static bool same_time_of_day(const double *at, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (fabs(fmod(at[i] - at[0], DAY)) > 0)
            return false;
    return true;
}

bool rule_find(rule *r, const double *at, size_t count, bool calendar)
{
    double *steps = calloc(count, sizeof(*steps));
    bool found = false;
    *r = (rule){0};
    if (!steps)
        return message_error("no memory");
    if (calendar && same_time_of_day(at, count)) {
        if ((found = find_months(r, at, count))) {
            set_step(r, at, count, steps);
            found = r->per_month == 1 ? r->step >= 1 : fabs(r->step - 1) <= 0;
        }
        found = found || find_any_days(r, at, count);
        if (!found) {
            *r = (rule){.kind = RULE_WEEKDAYS};
            find_weekdays(r, at, count);
            set_step(r, at, count, steps);
            found = r->per_week > 1 && r->per_week < 7 && fabs(r->step - 1) <= 0;
        }
    }
    if (!found) {
        *r = (rule){.kind = RULE_EVEN};
        set_step(r, at, count, steps);
    }
    free(steps);
    return true;
}

static void print_weekdays(const rule *r, char *text, size_t size)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu",
                                        "Fri", "Sat", "Sun"};
    size_t length = (size_t)snprintf(text, size, "1 day of ");
    const char *separator = "";
    for (int i = 0; i < 7; i++)
        if (r->weekdays >> i & 1) {
            length += (size_t)snprintf(text + length, size - length, "%s%s", separator,
                                       names[i]);
            separator = ", ";
        }
}

void rule_print(const rule *r, bool calendar, char *text, size_t size)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"day", DAY}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    size_t unit = 0;
    double count = r->step;
    if (r->kind == RULE_WEEKDAYS)
        print_weekdays(r, text, size);
    else if (r->kind == RULE_MONTHS && r->per_month == 2)
        snprintf(text, size, "half a month");
    else if (r->kind == RULE_MONTHS)
        snprintf(text, size, "%.10g month%s", count, count > 1 ? "s" : "");
    else if (!calendar)
        snprintf(text, size, "%.10g", count);
    else {
        while (unit < 3 && (count < units[unit].seconds ||
                            fabs(fmod(count, units[unit].seconds)) > 0))
            unit++;
        count /= units[unit].seconds;
        snprintf(text, size, "%.10g %s%s", count, units[unit].name,
                 fabs(count - 1) <= 0 ? "" : "s");
    }
}
