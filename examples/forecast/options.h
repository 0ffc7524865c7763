/**
 * @file
 * The command line of forecast.
 */
#ifndef EXAMPLES_FORECAST_OPTIONS_H
#define EXAMPLES_FORECAST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/csv/field.h"

/** What to do about missing values. */
typedef enum forecast_missing {
    FORECAST_INTERPOLATE,
    FORECAST_DROP,
    FORECAST_REFUSE
} forecast_missing;

/** Whether the first row has names. */
typedef enum forecast_header {
    FORECAST_HEADER_AUTO,
    FORECAST_HEADER_YES,
    FORECAST_HEADER_NO
} forecast_header;

typedef struct forecast_options {
    const char *path;
    /** The column, and the one of the times: a name or a number from 0; NULL: chosen.
     *  time "none": no column. */
    const char *column, *time;
    /** Output files; NULL for none. */
    const char *svg, *save;
    /** Whether they replace files that are not of forecast. */
    bool force;
    bool csv, quiet;
    forecast_missing missing;
    forecast_header header;
    /** The order of numbers in dates, if it is given. */
    csv_order dates;
    bool dates_given;
    /** Decimal sign, and CSV_DETECT or a delimiter; 0: detected. */
    char decimal, delimiter;
    /** Values of a season, 0: detected. Number of predictions. */
    uint64_t season, steps;
} forecast_options;

/**
 * Parses the command line.
 *
 * @return -1 to continue; otherwise the exit status
 */
int forecast_options_parse(forecast_options *parsed, int argc, char **argv);

#endif
