/**
 * @file
 * Says why a column is not the time axis. Private to axis.c.
 */
#ifndef EXAMPLES_FORECAST_REJECTED_H
#define EXAMPLES_FORECAST_REJECTED_H

#include "examples/forecast/columns.h"

/** Says why a column that could have the times is not read. */
void rejected_say(const columns *all, size_t series);

/** A question for the end of a message if many times occur more than once; else "". */
const char *rejected_hint(const double *at, size_t count);

#endif
