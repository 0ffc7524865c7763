/**
 * @file
 * The rule that times follow: even steps, days of months, or days of the week.
 */
#ifndef EXAMPLES_FORECAST_RULE_H
#define EXAMPLES_FORECAST_RULE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum rule_kind {
    /** Steps of equal length. */
    RULE_EVEN,
    /** The same day of months, or the same two days; the last day in shorter months. */
    RULE_MONTHS,
    /** Some days of each week, such as Monday to Friday. */
    RULE_WEEKDAYS
} rule_kind;

typedef struct rule {
    rule_kind kind;
    /** Of even steps, their length; else the number of places from one to the next. */
    double step;
    /** The days of a month, or the last one of shorter months, and their number. */
    int days[2];
    long per_month;
    /** Whether times are on any day of their months. */
    bool any_day;
    /** A bit for each day of the week from Monday on, and their number. */
    unsigned weekdays;
    long per_week;
} rule;

/**
 * Finds the rule that most of the times follow.
 *
 * @param at [count] times that rise, at least two
 * @param calendar whether they are seconds since 1970
 * @return false after an error message: no memory
 */
bool rule_find(rule *r, const double *at, size_t count, bool calendar);

/** The number of steps from one time to a later one; not whole between places. */
double rule_steps(const rule *r, double from, double to);

/** The time some steps after another one. */
double rule_after(const rule *r, double time, size_t steps);

/** Steps from one time to the next one: rounded, 0 if it does not follow the rule. */
size_t rule_whole_steps(const rule *r, double from, double to);

/** Writes the usual step as text. */
void rule_print(const rule *r, bool calendar, char *text, size_t size);

#endif
