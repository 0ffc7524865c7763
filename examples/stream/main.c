/*
 * stream: reads numbers line by line on standard input and prints the model's answer to
 * each line at once; at the end, on standard error, how long the answers took.
 *
 * The model is a safetensors file with a layer "lstm" and a linear layer "fc", such as
 * mnist-train or PyTorch write, or forecast, which says how numbers are scaled for it.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lstm/lstm.h>

enum { EXIT_USAGE = 2 };

typedef struct {
    lstm_layer *layer;
    lstm_linear *head;
    lstm_stream *stream;
    lstm_tensor *x, *y;
    size_t inputs, outputs;
    /* What numbers are scaled by before the model, and back after it. */
    double mean, deviation;
} model;

/* Microseconds that answers took. */
typedef struct {
    double *values;
    size_t count, room;
} times;

static void need(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "stream: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

/* Rows of the weight of the head. */
static size_t count_outputs(lstm_linear *head)
{
    lstm_params *params;
    need(lstm_params_create(&params));
    need(lstm_params_add_linear(params, "fc", head));
    size_t outputs = lstm_tensor_extent(lstm_params_value(params, 0), 0);
    lstm_params_destroy(&params);
    return outputs;
}

/* How numbers are scaled for the model: as they are, unless its file tells. */
static void read_scale(model *m, const char *path)
{
    char text[64];
    m->mean = 0;
    m->deviation = 1;
    if (lstm_file_metadata(path, "scale", text, sizeof(text)) == LSTM_OK)
        sscanf(text, "%lf %lf", &m->mean, &m->deviation);
}

static void load(model *m, const char *path)
{
    need(lstm_layer_load(&m->layer, path, "lstm", NULL));
    need(lstm_linear_load(&m->head, path, "fc"));
    m->inputs = lstm_layer_get_config(m->layer)->inputs;
    m->outputs = count_outputs(m->head);
    read_scale(m, path);
    need(lstm_layer_set_training(m->layer, false));
    need(lstm_stream_create(&m->stream, m->layer, m->head, 1));
    need(lstm_tensor_create(&m->x, 2, (size_t[]){1, m->inputs}));
    need(lstm_tensor_create(&m->y, 2, (size_t[]){1, m->outputs}));
}

static void destroy(model *m)
{
    lstm_tensor_destroy(&m->x);
    lstm_tensor_destroy(&m->y);
    lstm_stream_destroy(&m->stream);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
}

/* Numbers of a line, apart by blanks or commas; false when they are not as many as the
 * inputs. */
static bool read_numbers(const model *m, const char *line)
{
    for (size_t i = 0; i < m->inputs; i++) {
        char *end;
        while (*line == ',' || *line == ' ' || *line == '\t')
            line++;
        errno = 0;
        float number = strtof(line, &end);
        if (end == line || !isfinite(number))
            return false;
        lstm_tensor_data(m->x)[i] = (float)(((double)number - m->mean) / m->deviation);
        line = end;
    }
    while (*line == ' ' || *line == '\t' || *line == '\r' || *line == '\n')
        line++;
    return *line == '\0';
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void note(times *all, double value)
{
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 1024;
        double *larger = realloc(all->values, room * sizeof(*larger));
        if (!larger)
            return;
        all->values = larger;
        all->room = room;
    }
    all->values[all->count++] = value;
}

static void answer(model *m, times *all)
{
    double start = now();
    need(lstm_stream_step(m->stream, m->x, m->y));
    note(all, now() - start);
    for (size_t i = 0; i < m->outputs; i++)
        printf(i ? " %.6g" : "%.6g",
               (double)lstm_tensor_data(m->y)[i] * m->deviation + m->mean);
    putchar('\n');
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(times *all)
{
    if (all->count == 0)
        return;
    qsort(all->values, all->count, sizeof(*all->values), compare);
    const double shares[] = {0.5, 0.9, 0.99, 0.999};
    fprintf(stderr, "stream: %zu steps, microseconds:", all->count);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        fprintf(stderr, " p%g %.2f", shares[i] * 100,
                all->values[(size_t)((double)(all->count - 1) * shares[i])]);
    fputc('\n', stderr);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: stream MODEL < NUMBERS\n");
        return EXIT_USAGE;
    }
    model m = {0};
    times all = {0};
    char *line = NULL;
    size_t room = 0, number = 0;
    int result = EXIT_SUCCESS;
    load(&m, arguments[1]);
    while (result == EXIT_SUCCESS && getline(&line, &room, stdin) > 0) {
        number++;
        if (read_numbers(&m, line)) {
            answer(&m, &all);
        } else {
            fprintf(stderr, "stream: line %zu does not have %zu numbers\n", number,
                    m.inputs);
            result = EXIT_FAILURE;
        }
    }
    report(&all);
    free(all.values);
    free(line);
    destroy(&m);
    return result;
}
