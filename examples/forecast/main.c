/*
 * forecast: learns a column of a CSV file and says its next values.
 *
 * The last fifth of the column is kept from training: the residuals of one-step answers
 * on it give the confidence. The SVG shows that part, the answers and what follows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

enum { EXIT_USAGE = 2, HIDDEN = 32, FUTURE = 20, EPOCHS = 150 };

/* A column, scaled to mean 0 and deviation 1 of its first held values. */
typedef struct {
    float *values;
    size_t count, held;
    double mean, deviation;
} column;

static void need(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "forecast: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

static void stop(const char *path, const char *why)
{
    fprintf(stderr, "forecast: %s: %s\n", path, why);
    exit(EXIT_FAILURE);
}

/* The number in a field of a line; NaN when there is none. */
static float field(const char *line, long index)
{
    while (index-- > 0)
        if (!(line = strchr(line, ',')) || !*++line)
            return NAN;
    char *end;
    float value = strtof(line, &end);
    return end == line ? NAN : value;
}

/* Lines without a number in the column, such as the first, are left out. */
static column read_column(const char *path, long index)
{
    enum { FEW = 50 };
    column all = {0};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0, room = 0;
    if (!file)
        stop(path, "cannot be read");
    while (getline(&line, &size, file) > 0) {
        float value = field(line, index);
        if (!isfinite(value))
            continue;
        if (all.count == room) {
            room = room ? 2 * room : 1024;
            all.values = realloc(all.values, room * sizeof(float));
            if (!all.values)
                stop(path, "no memory");
        }
        all.values[all.count++] = value;
    }
    free(line);
    fclose(file);
    if (all.count < FEW)
        stop(path, "the column has fewer than 50 numbers");
    return all;
}

static void scale(column *all)
{
    double sum = 0, squares = 0;
    all->held = all->count - all->count / 5;
    for (size_t i = 0; i < all->held; i++)
        sum += (double)all->values[i];
    all->mean = sum / (double)all->held;
    for (size_t i = 0; i < all->held; i++)
        squares += pow((double)all->values[i] - all->mean, 2);
    all->deviation = squares > 0 ? sqrt(squares / (double)all->held) : 1;
    for (size_t i = 0; i < all->count; i++)
        all->values[i] = (float)(((double)all->values[i] - all->mean) / all->deviation);
}

static lstm_tensor *tensor(float *data, size_t steps, size_t channels)
{
    lstm_tensor *created;
    size_t shape[] = {1, steps, channels};
    need(data ? lstm_tensor_wrap(&created, data, 3, shape, NULL)
              : lstm_tensor_create(&created, 3, shape));
    return created;
}

/* Full-sequence training on half of the mean square of the next value's error. */
static void train(lstm_layer *layer, lstm_linear *head, lstm_params *params,
                  const column *all)
{
    size_t steps = all->held - 1;
    lstm_adam *adam;
    lstm_tensor *x = tensor(all->values, steps, 1), *out = tensor(NULL, steps, HIDDEN);
    lstm_tensor *dout = tensor(NULL, steps, HIDDEN);
    lstm_tensor *y = tensor(NULL, steps, 1), *dy = tensor(NULL, steps, 1);
    need(lstm_adam_create(&adam, params, &(lstm_adam_config){.lr = 0.01}));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        need(lstm_layer_forward(layer, x, NULL, NULL, out, NULL, NULL));
        need(lstm_linear_forward(head, out, y));
        for (size_t i = 0; i < steps; i++)
            lstm_tensor_data(dy)[i] =
                (lstm_tensor_data(y)[i] - all->values[i + 1]) / (float)steps;
        need(lstm_params_zero_grad(params));
        need(lstm_linear_backward(head, dy, dout));
        need(lstm_layer_backward(layer, dout, NULL, NULL, NULL, NULL, NULL));
        need(lstm_params_clip_norm(params, 1, NULL));
        need(lstm_adam_step(adam));
    }
    lstm_adam_destroy(&adam);
    lstm_tensor **tensors[] = {&x, &out, &dout, &y, &dy};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
}

/* answers [count - 1 + FUTURE]: each value's from those before it, then from answers.
 */
static void run(const lstm_layer *layer, const lstm_linear *head, const column *all,
                float *answers)
{
    lstm_stream *stream;
    need(lstm_stream_create(&stream, layer, head, 1));
    for (size_t i = 0; i < all->count - 1 + FUTURE; i++) {
        float *input = i < all->count ? &all->values[i] : &answers[i - 1];
        lstm_tensor *x = tensor(input, 1, 1), *y = tensor(&answers[i], 1, 1);
        need(lstm_stream_step(stream, x, y));
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&y);
    }
    lstm_stream_destroy(&stream);
}

/* Root mean square of what answers, or the value before, miss the held part by. */
static double residual(const column *all, const float *before)
{
    double sum = 0;
    for (size_t i = all->held; i < all->count; i++)
        sum += pow((double)all->values[i] - (double)before[i - 1], 2);
    return sqrt(sum / (double)(all->count - all->held));
}

static void draw_line(FILE *file, const char *colour, const float *values, size_t from,
                      size_t to, size_t first, double width)
{
    fprintf(file, "<polyline fill='none' stroke='%s' points='", colour);
    for (size_t i = from; i < to; i++)
        fprintf(file, "%.1f,%.1f ", (double)(i - first) * width,
                200 - 50 * (double)values[i]);
    fprintf(file, "'/>\n");
}

static void draw(const char *path, const column *all, const float *answers)
{
    FILE *file = fopen(path, "w");
    if (!file)
        stop(path, "cannot be written");
    size_t end = all->count + FUTURE;
    double width = 800 / (double)(end - all->held);
    fprintf(file, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 400'>\n");
    draw_line(file, "black", all->values, all->held, all->count, all->held, width);
    /* Answer i - 1 is about value i. */
    draw_line(file, "crimson", answers - 1, all->held, end, all->held, width);
    fprintf(file, "</svg>\n");
    if (fclose(file) != 0)
        stop(path, "cannot be written");
}

static void print_future(const column *all, const float *answers, double error)
{
    for (size_t i = 0; i < FUTURE; i++)
        printf("%zu: %.6g +- %.3g\n", i + 1,
               (double)answers[all->count - 1 + i] * all->deviation + all->mean,
               1.96 * error * all->deviation * sqrt((double)(i + 1)));
}

int main(int count, char **arguments)
{
    long index = count > 2 ? strtol(arguments[2], NULL, 10) : 0;
    if (count < 2 || count > 5 || index < 0) {
        fprintf(stderr, "usage: forecast CSV [COLUMN [SVG [MODEL]]]\n");
        return EXIT_USAGE;
    }
    column all = read_column(arguments[1], index);
    float *answers = calloc(all.count + FUTURE, sizeof(*answers));
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_layer_config config = {.inputs = 1, .hidden = HIDDEN, .batch_first = true};
    if (!answers)
        stop(arguments[1], "no memory");
    scale(&all);
    need(lstm_rng_create(&rng, 1));
    need(lstm_layer_create(&layer, &config, rng));
    need(lstm_linear_create(&head, HIDDEN, 1, rng));
    need(lstm_params_create(&params));
    need(lstm_params_add_layer(params, "lstm", layer));
    need(lstm_params_add_linear(params, "fc", head));
    train(layer, head, params, &all);
    need(lstm_layer_set_training(layer, false));
    run(layer, head, &all, answers);
    double error = residual(&all, answers);
    printf("Residual: %.4g, of the value before: %.4g\n", error * all.deviation,
           residual(&all, all.values) * all.deviation);
    print_future(&all, answers, error);
    if (count > 3)
        draw(arguments[3], &all, answers);
    if (count > 4)
        need(lstm_params_save(params, arguments[4]));
    lstm_params_destroy(&params);
    lstm_linear_destroy(&head);
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    free(answers);
    free(all.values);
    return EXIT_SUCCESS;
}
