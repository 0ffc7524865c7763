/*
 * forecast: trains on a column of a table and predicts its next values.
 *
 * columns.c finds out what the columns are, axis.c reads the times and series.c the
 * values. network.c learns them, baseline.c predicts them in simple ways. report.c and
 * chart.c show the answer.
 */
#include <math.h>
#include <stdlib.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/forecast/baseline.h"
#include "examples/forecast/chart.h"
#include "examples/forecast/network.h"
#include "examples/forecast/replace.h"
#include "examples/forecast/report.h"

/* Compares with repeating what was one season before: its value, and its change if
 * that is nearer on the training values. */
static void compare_season(answer *a, const network *net)
{
    const double *values = net->values;
    size_t first = net->train_count, season = a->season;
    a->seasonal = baseline_error(values, first, net->count, season);
    double by_value = baseline_error(values, season + 1, first, season);
    a->by_change = baseline_change_error(values, season + 1, first, season) < by_value;
    if (a->by_change)
        a->changed = baseline_change_error(values, first, net->count, season);
}

/* Compares with simple predictions on the values that are held out. */
static bool compare(answer *a, const network *net, double *predicted,
                    const forecast_options *options)
{
    double squares = 0;
    size_t first = net->train_count;
    a->first_held_out = first;
    a->season = options->season;
    if (!a->season && !baseline_season(net->values, first, &a->season))
        return false;
    for (size_t i = first; i < net->count; i++)
        squares += pow(net->values[i] - predicted[i], 2);
    a->error = sqrt(squares / (double)(net->count - first));
    a->previous = baseline_error(net->values, first, net->count, 1);
    if (a->season)
        compare_season(a, net);
    a->constant = net->constant;
    a->ramp = net->constant && net->differences;
    return true;
}

/* In the unit of the values; at most the largest number. */
static double scaled(const network *net, double value)
{
    return report_limit(ldexp(value, net->exponent));
}

/* Scales what the network computed back to the unit of the values. */
static void scale_back(answer *a, const network *net, double *predicted, double *errors)
{
    /* 95% of normally distributed errors are within this factor of their root mean
     * square. */
    const double factor = 1.96;
    for (size_t i = 0; i < net->count + a->steps; i++)
        predicted[i] = scaled(net, predicted[i]);
    for (size_t i = 0; i < a->steps; i++)
        errors[i] = scaled(net, factor * errors[i]);
    a->error = scaled(net, a->error);
    a->previous = scaled(net, a->previous);
    a->seasonal = scaled(net, a->seasonal);
    a->changed = scaled(net, a->changed);
}

static bool answer_series(const series *s, network *net, double *predicted,
                          double *errors, const forecast_options *options)
{
    answer a = {.series = s,
                .predicted = predicted,
                .future = predicted + s->count,
                .margins = errors,
                .steps = (size_t)options->steps};
    if (!network_predict(net, a.steps, predicted, errors) ||
        !compare(&a, net, predicted, options))
        return false;
    scale_back(&a, net, predicted, errors);
    report_print(&a, options->csv);
    return message_finish(EXIT_SUCCESS) == EXIT_SUCCESS &&
           (!options->svg || chart_draw(&a, options->svg)) &&
           (!options->save || network_save(net, s->name, options->save));
}

static bool forecast_series(const series *s, const forecast_options *options)
{
    network net = {0};
    size_t steps = (size_t)options->steps;
    double *predicted = calloc(s->count + steps, sizeof(*predicted));
    double *errors = calloc(steps, sizeof(*errors));
    bool done = predicted && errors;
    if (!done)
        message_error("no memory");
    if (done && options->season > s->count / 2)
        done =
            message_error("--season is %llu, expected at most half of the %zu values",
                          (unsigned long long)options->season, s->count);
    done = done && network_train(&net, s->values, s->count) &&
           answer_series(s, &net, predicted, errors, options);
    network_destroy(&net);
    free(predicted);
    free(errors);
    return done;
}

static bool forecast_table(const csv_table *table, const forecast_options *options)
{
    columns all;
    series s;
    if (!columns_read(&all, table, options))
        return false;
    bool done = series_read(&s, &all, options);
    if (done) {
        done = forecast_series(&s, options);
        series_free(&s);
    }
    columns_free(&all);
    return done;
}

static bool forecast(const forecast_options *options)
{
    input content;
    csv_table table;
    char why[400];
    if (!replace_check(options) || !input_read(&content, options->path, CSV_MOST_BYTES))
        return false;
    bool read = csv_read(&table, content.bytes, content.size, options->delimiter, why,
                         sizeof(why));
    input_free(&content);
    if (!read)
        return message_error("%s: %s", input_name(options->path), why);
    bool done = forecast_table(&table, options);
    csv_free(&table);
    return done;
}

int main(int argc, char **argv)
{
    forecast_options options;
    message_set_program("forecast");
    int status = forecast_options_parse(&options, argc, argv);
    if (status >= 0)
        return status;
    message_set_quiet(options.quiet);
    return message_finish(forecast(&options) ? EXIT_SUCCESS : EXIT_FAILURE);
}
