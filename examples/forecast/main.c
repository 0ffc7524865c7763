/*
 * forecast: trains on a column of a CSV file and predicts its next values.
 *
 * The last fifth of the column is held out from training. The residuals of the
 * one-step predictions on it give the confidence interval. The SVG shows the
 * held-out values, the predictions for them, and the forecast.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/message.h"
#include "examples/common/output.h"

enum { EXIT_USAGE = 2, HIDDEN = 32, FUTURE = 20, EPOCHS = 150, FEW = 50 };

/* The values of a column, scaled to mean 0 and standard deviation 1 of the training
 * values, the first train_count of them. */
typedef struct {
    float *values;
    size_t count, train_count;
    double mean, deviation;
} column;

_Noreturn static void stop(const char *what, const char *why)
{
    fprintf(stderr, "forecast: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Exits with a message if a call failed. */
static void check(lstm_status status)
{
    if (status != LSTM_OK)
        stop("liblstm", lstm_last_error());
}

/* The text after the next comma; NULL at the end of the line. */
static const char *next_field(const char *field)
{
    field = strchr(field, ',');
    return field ? field + 1 : NULL;
}

/* Index of a column, which is given as a number from 0 or a name in the first line. */
static size_t find_column(const char *path, const char *line, const char *name)
{
    size_t index = 0, length = strlen(name);
    if (*name && name[strspn(name, "0123456789")] == '\0')
        return strtoul(name, NULL, 10);
    for (; line; line = next_field(line), index++)
        if (strncmp(line, name, length) == 0 && strchr(",\r\n", line[length]))
            return index;
    stop(path, "no column has this name");
}

/* Parses a field that consists of exactly one finite number; false for other text, for
 * example a date. */
static bool parse_field(const char *field, double *value)
{
    char *end;
    *value = strtod(field, &end);
    bool found = end != field && isfinite(*value);
    return found && strchr(",\r\n", end[strspn(end, " \t")]);
}

/* Reads a column. Skips lines without a number in it, such as the line of names. */
static column read_column(const char *path, const char *name)
{
    column all = {0};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0, index = 0;
    if (!file)
        stop(path, strerror(errno));
    for (bool first = true; getline(&line, &size, file) > 0; first = false) {
        const char *field = line;
        if (first)
            index = find_column(path, line, name);
        for (size_t i = 0; field && i < index; i++)
            field = next_field(field);
        double value;
        if (!field || !parse_field(field, &value))
            continue;
        all.values = realloc(all.values, (all.count + 1) * sizeof(*all.values));
        if (!all.values)
            stop(path, "no memory");
        /* Relative to the first value, so that float keeps the digits that vary. */
        if (all.count == 0)
            all.mean = value;
        all.values[all.count++] = (float)(value - all.mean);
    }
    /* Not the end of the file: what follows is missing. */
    if (ferror(file) || !feof(file))
        stop(path, strerror(errno));
    free(line);
    fclose(file);
    if (all.count < FEW)
        stop(path, "the column has fewer than 50 numbers");
    return all;
}

/* Splits off the training values and scales all values by their mean and deviation. */
static void scale(column *all)
{
    double sum = 0, squares = 0;
    all->train_count = all->count - all->count / 5;
    for (size_t i = 0; i < all->train_count; i++)
        sum += (double)all->values[i];
    double mean = sum / (double)all->train_count;
    for (size_t i = 0; i < all->train_count; i++)
        squares += pow((double)all->values[i] - mean, 2);
    all->mean += mean;
    all->deviation = squares > 0 ? sqrt(squares / (double)all->train_count) : 1;
    for (size_t i = 0; i < all->count; i++)
        all->values[i] = (float)(((double)all->values[i] - mean) / all->deviation);
}

static lstm_tensor *tensor(float *data, size_t steps, size_t channels)
{
    lstm_tensor *created;
    size_t shape[] = {1, steps, channels};
    check(data ? lstm_tensor_wrap(&created, data, 3, shape, NULL)
               : lstm_tensor_create(&created, 3, shape));
    return created;
}

/* Trains on the whole sequence to predict the next value; the loss is half the mean
 * squared error. */
static void train(lstm_layer *layer, lstm_linear *head, lstm_params *params,
                  const column *all)
{
    size_t steps = all->train_count - 1;
    lstm_adam *adam;
    lstm_tensor *x = tensor(all->values, steps, 1), *out = tensor(NULL, steps, HIDDEN);
    lstm_tensor *dout = tensor(NULL, steps, HIDDEN);
    lstm_tensor *y = tensor(NULL, steps, 1), *dy = tensor(NULL, steps, 1);
    check(lstm_adam_create(&adam, params, &(lstm_adam_config){.lr = 0.01}));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        check(lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, out, NULL, NULL));
        check(lstm_linear_forward(head, out, y));
        for (size_t i = 0; i < steps; i++)
            lstm_tensor_data(dy)[i] =
                (lstm_tensor_data(y)[i] - all->values[i + 1]) / (float)steps;
        check(lstm_params_zero_grad(params));
        check(lstm_linear_backward(head, dy, dout));
        check(lstm_layer_backward(layer, NULL, dout, NULL, NULL, NULL, NULL, NULL));
        check(lstm_params_clip_norm(params, 1, NULL));
        check(lstm_adam_step(adam));
    }
    lstm_adam_destroy(&adam);
    lstm_tensor **tensors[] = {&x, &out, &dout, &y, &dy};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
}

/* Computes predictions, [count - 1 + FUTURE]: for each value from its predecessors,
 * then for future values from earlier predictions. predictions[i] is for value i + 1.
 */
static void predict(const lstm_layer *layer, const lstm_linear *head, const column *all,
                    float *predictions)
{
    lstm_stream *stream;
    check(lstm_stream_create(&stream, layer, head, 1));
    for (size_t i = 0; i < all->count - 1 + FUTURE; i++) {
        float *input = i < all->count ? &all->values[i] : &predictions[i - 1];
        lstm_tensor *x = tensor(input, 1, 1), *y = tensor(&predictions[i], 1, 1);
        check(lstm_stream_step(stream, x, y));
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&y);
    }
    lstm_stream_destroy(&stream);
}

/* Root mean squared error on the held-out values, if predicted[i - 1] predicts value i.
 */
static double residual(const column *all, const float *predicted)
{
    double sum = 0;
    for (size_t i = all->train_count; i < all->count; i++)
        sum += pow((double)all->values[i] - (double)predicted[i - 1], 2);
    return sqrt(sum / (double)(all->count - all->train_count));
}

/* Draws values from one index to another as a line. The k-th of them, counted from 1,
 * is shifted by shift * sqrt(k). */
static void draw_line(FILE *file, const char *colour, const float *values, size_t from,
                      size_t to, size_t end, double shift)
{
    fprintf(file, "<polyline fill='none' stroke='%s' points='", colour);
    for (size_t i = from; i < to; i++)
        fprintf(file, "%.1f,%.1f ", (double)i * 800 / (double)end,
                200 - 50 * ((double)values[i] + shift * sqrt((double)(i - from + 1))));
    fprintf(file, "'/>\n");
}

/* Draws the held-out values in black, predictions in red, and the confidence interval
 * of the forecast in pink. */
static void draw(const char *path, const column *all, const float *predictions,
                 double margin)
{
    output out;
    if (!output_open(&out, path))
        exit(EXIT_FAILURE);
    FILE *file = out.stream;
    size_t known = all->count - all->train_count, end = known + FUTURE;
    const float *shown = predictions + all->train_count - 1;
    fputs("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 400'>\n", file);
    draw_line(file, "black", all->values + all->train_count, 0, known, end, 0);
    draw_line(file, "crimson", shown, 0, end, end, 0);
    draw_line(file, "lightpink", shown, known, end, end, margin);
    draw_line(file, "lightpink", shown, known, end, end, -margin);
    fprintf(file, "</svg>\n");
    if (!output_commit(&out))
        exit(EXIT_FAILURE);
}

/* Saves the model, and the scale of its values for the program stream. */
static void save(const char *path, const lstm_params *params, const column *all)
{
    char text[64];
    const char *pairs[] = {"scale", text};
    const lstm_file_options options = {.metadata = pairs, .metadata_count = 1};
    snprintf(text, sizeof(text), "%.17g %.17g", all->mean, all->deviation);
    check(lstm_params_save(params, path, &options));
}

int main(int count, char **arguments)
{
    message_set_program("forecast");
    if (count < 2 || count > 5) {
        fprintf(stderr,
                "Usage: forecast CSV [COLUMN [SVG [MODEL]]]\n\n"
                "Trains on a column and predicts its next %d values. COLUMN is a name "
                "in the\nfirst line or a number from 0 (default 0). SVG and MODEL are "
                "output files.\n",
                FUTURE);
        return EXIT_USAGE;
    }
    column all = read_column(arguments[1], count > 2 ? arguments[2] : "0");
    float *predictions = calloc(all.count + FUTURE, sizeof(*predictions));
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_layer_config config = {.inputs = 1, .hidden = HIDDEN, .batch_first = true};
    if (!predictions)
        stop(arguments[1], "no memory");
    scale(&all);
    check(lstm_rng_create(&rng, 1));
    check(lstm_layer_create(&layer, &config, rng));
    check(lstm_linear_create(
        &head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = 1}, rng));
    check(lstm_params_create(&params));
    check(lstm_params_add_layer(params, "lstm", layer));
    check(lstm_params_add_linear(params, "fc", head));
    train(layer, head, params, &all);
    check(lstm_layer_set_training(layer, false));
    predict(layer, head, &all, predictions);
    double error = residual(&all, predictions);
    printf("RMSE: %.4g, of repeating the previous value: %.4g\n", error * all.deviation,
           residual(&all, all.values) * all.deviation);
    /* 95% of normally distributed residuals are within this margin. Over k steps they
     * accumulate to sqrt(k) times as much. */
    double margin = 1.96 * error;
    for (size_t i = 0; i < FUTURE; i++)
        printf("%zu: %.6g +- %.3g\n", i + 1,
               (double)predictions[all.count - 1 + i] * all.deviation + all.mean,
               margin * all.deviation * sqrt((double)(i + 1)));
    if (fflush(stdout) != 0 || ferror(stdout))
        stop("standard output", strerror(errno));
    if (count > 3)
        draw(arguments[3], &all, predictions, margin);
    if (count > 4)
        save(arguments[4], params, &all);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&head);
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    free(predictions);
    free(all.values);
    return EXIT_SUCCESS;
}
