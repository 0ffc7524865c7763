/**
 * @file
 * The places and labels of ticks on an axis.
 */
#ifndef EXAMPLES_FORECAST_TICKS_H
#define EXAMPLES_FORECAST_TICKS_H

#include <stddef.h>

#include "examples/forecast/axis.h"

enum { TICKS_MOST = 16, TICKS_LABEL = 40 };

/** Ticks from left to right, or from the bottom up. */
typedef struct ticks {
    size_t count;
    double at[TICKS_MOST];
    char labels[TICKS_MOST][TICKS_LABEL];
} ticks;

/** Round numbers from low to high, about count of them. */
void ticks_of_numbers(ticks *t, double low, double high, size_t count);

/** Round times or numbers of an axis. */
void ticks_of_axis(ticks *t, const axis *a, double low, double high, size_t count);

#endif
