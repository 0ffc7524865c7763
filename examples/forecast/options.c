#include <stdio.h>
#include <string.h>

#include "examples/common/options.h"
#include "examples/common/output.h"
#include "examples/csv/csv.h"
#include "examples/forecast/options.h"

static const forecast_options defaults = {.steps = 20};

static const char *const missing_names[] = {
    [FORECAST_INTERPOLATE] = "interpolate",
    [FORECAST_DROP] = "drop",
    [FORECAST_REFUSE] = "refuse",
    NULL,
};

static const char *const header_names[] = {
    [FORECAST_HEADER_AUTO] = "auto",
    [FORECAST_HEADER_YES] = "yes",
    [FORECAST_HEADER_NO] = "no",
    NULL,
};

static const char *const order_names[] = {
    [CSV_MDY] = "mdy",
    [CSV_DMY] = "dmy",
    [CSV_YMD] = "ymd",
    NULL,
};

static bool parse_decimal(void *field, const char *text, char *why, size_t size)
{
    snprintf(why, size, "expected . or ,");
    *(char *)field = *text;
    return strcmp(text, ".") == 0 || strcmp(text, ",") == 0;
}

static bool parse_delimiter(void *field, const char *text, char *why, size_t size)
{
    static const struct {
        const char *name;
        char delimiter;
    } names[] = {{",", ','},        {";", ';'},    {"|", '|'},
                 {"\t", '\t'},      {"tab", '\t'}, {"blanks", CSV_BLANKS},
                 {"none", CSV_NONE}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(text, names[i].name) == 0) {
            *(char *)field = names[i].delimiter;
            return true;
        }
    snprintf(why, size, "expected , ; | tab, blanks or none");
    return false;
}

#define FIELD(name) offsetof(forecast_options, name)
static const option_row rows[] = {
    {.name = "column",
     .value = "COLUMN",
     .kind = OPTION_TEXT,
     .field = FIELD(column),
     .help = "the column to forecast: a name or a number from 0\n"
             "(default the last one of numbers that is neither a\n"
             "counter nor a part of a date, and not only 0 and 1)"},
    {.name = "time",
     .value = "COLUMN",
     .kind = OPTION_TEXT,
     .field = FIELD(time),
     .help = "the column of times (default the first one of\n"
             "dates, else columns such as year and month, else a\n"
             "counter); none: no column"},
    {.name = "missing",
     .value = "HOW",
     .kind = OPTION_CHOICE,
     .field = FIELD(missing),
     .names = missing_names,
     .help = "interpolate (default) missing values and times between\n"
             "their neighbours, drop their rows, or refuse them"},
    {.name = "season",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(season),
     .low = 2,
     .high = 1e9,
     .help = "values of a season, for the comparison (default\n"
             "detected)"},
    {.name = "steps",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(steps),
     .low = 1,
     .high = 10000,
     .help = "number of values to predict"},
    {.name = "svg",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(svg),
     .help = "draw a chart"},
    {.name = "save",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(save),
     .help = "save the model, which the program stream can run"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .field = FIELD(force),
     .help = "replace a FILE that is not a chart or model of\n"
             "forecast"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .field = FIELD(csv),
     .help = "print a table of comma-separated values: step, time,\n"
             "forecast, low, high"},
    {.name = "header",
     .value = "WHICH",
     .kind = OPTION_CHOICE,
     .field = FIELD(header),
     .names = header_names,
     .help = "whether the first row has names: auto (default), yes\n"
             "or no"},
    {.name = "delimiter",
     .value = "WHICH",
     .kind = OPTION_PARSED,
     .field = FIELD(delimiter),
     .parse = parse_delimiter,
     .help = ", ; | tab, blanks or none (default detected)"},
    {.name = "decimal",
     .value = "WHICH",
     .kind = OPTION_PARSED,
     .field = FIELD(decimal),
     .parse = parse_decimal,
     .help = ". or , (default detected)"},
    {.name = "dates",
     .value = "ORDER",
     .kind = OPTION_CHOICE,
     .field = FIELD(dates),
     .given = FIELD(dates_given),
     .names = order_names,
     .help = "dmy, mdy or ymd: what 1/2/2024 or 24-01-02 is (default\n"
             "detected)"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .field = FIELD(quiet),
     .help = "do not say how the table is read; warnings remain"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static void print_more_help(void)
{
    fputs(
        "\n"
        "CSV is a text with a row in each line, or - for standard input. The "
        "delimiter,\n"
        "names in the first row, units below them, and the decimal sign are detected;\n"
        "standard error says what was detected. A field is a number only as a whole: "
        "a\n"
        "unit, a percent sign or a time of day is refused. Missing are empty fields, "
        "NA,\n"
        "N/A, NaN, null, none, ?, .. and dashes. A column needs at least 50 values.\n"
        "\n"
        "Dates are the time axis, and so are columns such as year, month and day. It "
        "goes\n"
        "on with the same days of months or of the week (Monday to Friday, say), or "
        "with\n"
        "even steps. Missing times are treated like missing values. If times repeat "
        "or\n"
        "follow no rule, rows are counted. The newest row may be the first.\n"
        "\n"
        "The network learns the values, or their differences if these vary less. The\n"
        "last fifth of the values is held out from training. On it, the one-step "
        "errors\n"
        "(RMSE) are compared with those of repeating the previous value, and the "
        "value\n"
        "one season before. The season is that of the changes; if repeating its "
        "changes\n"
        "is nearer than its values, as in a trend, that is compared, too. A forecast "
        "k\n"
        "steps ahead is followed by 1.96 times the root mean squared error of k-step\n"
        "forecasts of held-out values: about 95% of errors like those are smaller if\n"
        "they are normally distributed. What has not happened in the held-out values "
        "is\n"
        "not in it.\n"
        "\n"
        "Exit status: 0 success, 1 failure, 2 invalid usage.\n",
        stdout);
}

static const option_table table = {
    .before = "Usage: forecast [OPTION]... CSV [COLUMN [SVG [MODEL]]]\n\n"
              "Trains an LSTM on a column of a table and predicts its next values.\n\n",
    .after = print_more_help,
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

int forecast_options_parse(forecast_options *parsed, int argc, char **argv)
{
    int first;
    options_set_defaults(&table, parsed, NULL);
    int status = options_parse(&table, parsed, argc, argv, NULL, &first);
    if (status >= 0)
        return status;
    const char **fields[] = {&parsed->path, &parsed->column, &parsed->svg,
                             &parsed->save};
    if (argc == first)
        return options_refuse("missing CSV");
    if (argc - first > 4)
        return options_refuse("more than four arguments");
    for (int i = 0; first + i < argc; i++) {
        if (*fields[i])
            return options_refuse("the same is given as an option and as an argument");
        *fields[i] = argv[first + i];
    }
    if (!*parsed->path)
        return options_refuse("the name of CSV is empty");
    if (options_check_file("--svg", parsed->svg) >= 0 ||
        options_check_file("--save", parsed->save) >= 0)
        return OPTIONS_USAGE;
    if (parsed->svg && parsed->save &&
        (strcmp(parsed->svg, parsed->save) == 0 ||
         output_same_file(parsed->svg, parsed->save)))
        return options_refuse("the chart and the model are the same file");
    return -1;
}
