/*
 * stream: runs a model step by step. Reads one time step per line from standard input
 * and prints the output of the model immediately. At the end, prints percentiles of the
 * latency to standard error.
 *
 * The model is a safetensors file with a layer "lstm" and a linear layer "fc", written
 * by mnist-train, PyTorch or forecast. A file of forecast also contains the scale of
 * its values.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lstm/lstm.h>

enum { EXIT_USAGE = 2 };

typedef struct {
    lstm_layer *layer;
    lstm_linear *head;
    lstm_stream *stream;
    lstm_tensor *x, *y;
    size_t inputs, outputs;
    /* Inputs are (value - mean) / deviation; outputs are scaled back. */
    double mean, deviation;
} model;

/* Latencies in microseconds. */
typedef struct {
    double *values;
    size_t count, capacity;
} times;

/* Exits with a message if a call failed. */
static void check(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "stream: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

/* Reads the scale of the values from the metadata; the default is no scaling. */
static void read_scale(model *m, const char *path, const lstm_file *file)
{
    const char *text = lstm_file_metadata(file, "scale");
    m->mean = 0;
    m->deviation = 1;
    if (!text || (sscanf(text, "%lf %lf", &m->mean, &m->deviation) == 2 &&
                  isfinite(m->mean) && isfinite(m->deviation) && m->deviation > 0))
        return;
    fprintf(stderr, "stream: %s: metadata scale is '%s', expected two numbers\n", path,
            text);
    exit(EXIT_FAILURE);
}

static void load(model *m, const char *path)
{
    lstm_file *file;
    check(lstm_file_open(&file, path));
    check(lstm_layer_read(&m->layer, file, "lstm", NULL));
    check(lstm_linear_read(&m->head, file, "fc"));
    read_scale(m, path, file);
    lstm_file_destroy(&file);
    m->inputs = lstm_layer_get_config(m->layer)->inputs;
    m->outputs = lstm_linear_get_config(m->head)->outputs;
    check(lstm_layer_set_training(m->layer, false));
    check(lstm_stream_create(&m->stream, m->layer, m->head, 1));
    check(lstm_tensor_create(&m->x, 2, (size_t[]){1, m->inputs}));
    check(lstm_tensor_create(&m->y, 2, (size_t[]){1, m->outputs}));
}

static void destroy(model *m)
{
    lstm_tensor_destroy(&m->x);
    lstm_tensor_destroy(&m->y);
    lstm_stream_destroy(&m->stream);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* Parses the inputs in a line, separated by blanks or a comma; false if the line does
 * not consist of exactly as many numbers as the model has inputs. */
static bool read_inputs(const model *m, const char *line)
{
    for (size_t i = 0; i < m->inputs; i++) {
        char *end;
        double number = strtod(line, &end);
        const char *next = skip_blanks(end);
        bool last = i + 1 == m->inputs;
        if (end == line || !isfinite(number) || (!last && next == end && *next != ','))
            return false;
        lstm_tensor_data(m->x)[i] = (float)((number - m->mean) / m->deviation);
        line = !last && *next == ',' ? next + 1 : next;
    }
    return *line == '\0';
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Adds a latency; drops it if there is no memory. */
static void add_time(times *all, double value)
{
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 1024;
        double *larger = realloc(all->values, capacity * sizeof(*larger));
        if (!larger)
            return;
        all->values = larger;
        all->capacity = capacity;
    }
    all->values[all->count++] = value;
}

static void step(model *m, times *all)
{
    double start = now();
    check(lstm_stream_step(m->stream, m->x, m->y));
    add_time(all, now() - start);
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
    const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
    fprintf(stderr, "stream: %zu steps, microseconds:", all->count);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        fprintf(stderr, " p%g %.2f", quantiles[i] * 100,
                all->values[(size_t)((double)(all->count - 1) * quantiles[i])]);
    fputc('\n', stderr);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "Usage: stream MODEL < FILE\n\n"
                        "Prints the output of the model for each line of its inputs, "
                        "separated by blanks\nor commas.\n");
        return EXIT_USAGE;
    }
    model m = {0};
    times all = {0};
    char *line = NULL;
    size_t capacity = 0, number = 0;
    int result = EXIT_SUCCESS;
    load(&m, arguments[1]);
    while (result == EXIT_SUCCESS && getline(&line, &capacity, stdin) > 0) {
        number++;
        if (read_inputs(&m, line)) {
            step(&m, &all);
        } else {
            fprintf(stderr, "stream: line %zu: expected %zu numbers\n", number,
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
