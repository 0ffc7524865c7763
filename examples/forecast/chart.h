/**
 * @file
 * The answer of forecast as a picture.
 */
#ifndef EXAMPLES_FORECAST_CHART_H
#define EXAMPLES_FORECAST_CHART_H

#include <stdbool.h>

#include "examples/forecast/report.h"

/** Draws the last values, the predictions and the forecast with its band as SVG; false
 *  after an error message. */
bool chart_draw(const answer *a, const char *path);

#endif
