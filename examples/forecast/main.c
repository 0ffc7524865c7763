/*
 * forecast: learns a column of a CSV file and says its next values.
 *
 * The last fifth of the column is kept from training: the residuals of one-step answers
 * on it give the confidence. The SVG shows that part, the answers and what follows.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

enum { EXIT_USAGE = 2, HIDDEN = 32, FUTURE = 20, EPOCHS = 150, FEW = 50 };

/* A column, scaled to mean 0 and deviation 1 of its first held values. */
typedef struct {
    float *values;
    size_t count, held;
    double mean, deviation;
} column;

_Noreturn static void stop(const char *what, const char *why)
{
    fprintf(stderr, "forecast: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void need(lstm_status status)
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

/* The place of a column that is a number from 0, or a name in the first line. */
static size_t find_column(const char *path, const char *line, const char *name)
{
    size_t index = 0, length = strlen(name);
    if (*name && name[strspn(name, "0123456789")] == '\0')
        return strtoul(name, NULL, 10);
    for (; line; line = next_field(line), index++)
        if (strncmp(line, name, length) == 0 && strchr(",\r\n", line[length]))
            return index;
    stop(path, "no column has that name");
}

/* Lines without a number in the column, such as the first, are left out. */
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
        char *end = NULL;
        float value = field ? strtof(field, &end) : NAN;
        if (end == field || !isfinite(value))
            continue;
        all.values = realloc(all.values, (all.count + 1) * sizeof(float));
        if (!all.values)
            stop(path, "no memory");
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
        need(lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, out, NULL, NULL));
        need(lstm_linear_forward(head, out, y));
        for (size_t i = 0; i < steps; i++)
            lstm_tensor_data(dy)[i] =
                (lstm_tensor_data(y)[i] - all->values[i + 1]) / (float)steps;
        need(lstm_params_zero_grad(params));
        need(lstm_linear_backward(head, dy, dout));
        need(lstm_layer_backward(layer, NULL, dout, NULL, NULL, NULL, NULL, NULL));
        need(lstm_params_clip_norm(params, 1, NULL));
        need(lstm_adam_step(adam));
    }
    lstm_adam_destroy(&adam);
    lstm_tensor **tensors[] = {&x, &out, &dout, &y, &dy};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
}

/* answers [count - 1 + FUTURE]: each from the values before it, then from answers. */
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

/* Values between two places as a line; each further one is moved by more of shift. */
static void draw_line(FILE *file, const char *colour, const float *values, size_t from,
                      size_t to, size_t end, double shift)
{
    fprintf(file, "<polyline fill='none' stroke='%s' points='", colour);
    for (size_t i = from; i < to; i++)
        fprintf(file, "%.1f,%.1f ", (double)i * 800 / (double)end,
                200 - 50 * ((double)values[i] + shift * sqrt((double)(i - from + 1))));
    fprintf(file, "'/>\n");
}

/* The held part in black, answers in red, and how far to trust what follows. */
static void draw(const char *path, const column *all, const float *answers,
                 double margin)
{
    FILE *file = fopen(path, "w");
    if (!file)
        stop(path, strerror(errno));
    size_t known = all->count - all->held, end = known + FUTURE;
    const float *said = answers + all->held - 1; /* the first is about value held */
    fputs("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 400'>\n", file);
    draw_line(file, "black", all->values + all->held, 0, known, end, 0);
    draw_line(file, "crimson", said, 0, end, end, 0);
    draw_line(file, "lightpink", said, known, end, end, margin);
    draw_line(file, "lightpink", said, known, end, end, -margin);
    fprintf(file, "</svg>\n");
    if (fclose(file) != 0)
        stop(path, strerror(errno));
}

/* The model, and how values are scaled for it, which stream reads. */
static void save(const char *path, const lstm_params *params, const column *all)
{
    char text[64];
    const char *pairs[] = {"scale", text};
    const lstm_file_options options = {.metadata = pairs, .metadata_count = 1};
    snprintf(text, sizeof(text), "%.17g %.17g", all->mean, all->deviation);
    need(lstm_params_save_as(params, path, &options));
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 5) {
        fprintf(stderr, "usage: forecast CSV [COLUMN [SVG [MODEL]]]\n"
                        "COLUMN is a name in the first line, or a number from 0\n");
        return EXIT_USAGE;
    }
    column all = read_column(arguments[1], count > 2 ? arguments[2] : "0");
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
    need(lstm_linear_create(
        &head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = 1}, rng));
    need(lstm_params_create(&params));
    need(lstm_params_add_layer(params, "lstm", layer));
    need(lstm_params_add_linear(params, "fc", head));
    train(layer, head, params, &all);
    need(lstm_layer_set_training(layer, false));
    run(layer, head, &all, answers);
    double error = residual(&all, answers);
    printf("Residual: %.4g, of the value before: %.4g\n", error * all.deviation,
           residual(&all, all.values) * all.deviation);
    /* 95% of the residuals are within; those of later steps add up like noise. */
    double margin = 1.96 * error;
    for (size_t i = 0; i < FUTURE; i++)
        printf("%zu: %.6g +- %.3g\n", i + 1,
               (double)answers[all.count - 1 + i] * all.deviation + all.mean,
               margin * all.deviation * sqrt((double)(i + 1)));
    if (count > 3)
        draw(arguments[3], &all, answers, margin);
    if (count > 4)
        save(arguments[4], params, &all);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&head);
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    free(answers);
    free(all.values);
    return EXIT_SUCCESS;
}
