/**
 * @file
 * Which existing files forecast replaces.
 */
#ifndef EXAMPLES_FORECAST_REPLACE_H
#define EXAMPLES_FORECAST_REPLACE_H

#include <stdbool.h>

#include "examples/forecast/options.h"

/** Key of the metadata of models; its value is the name of the column. */
#define FORECAST_KEY "forecast.column"

/** Begin of the title of charts. */
#define FORECAST_TITLE "Forecast of "

/** Whether the outputs replace no file but a chart and a model of forecast, or any with
 *  --force, and never the table. False after an error message. */
bool replace_check(const forecast_options *options);

#endif
