/*
 * stream: runs a model step by step. Reads one time step per line from standard input
 * and prints the output of the model immediately. At the end, prints percentiles of the
 * latency to standard error.
 *
 * The model is a safetensors file with a layer "lstm", and optionally a linear layer
 * "fc" and an embedding "embedding", written by mnist-train, PyTorch, forecast or
 * liblstm-convert. The program applies the keys of its metadata and its initial states:
 * see docs/file-format.md.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "examples/stream/model.h"

enum { EXIT_USAGE = 2 };

/* Latencies in microseconds. */
typedef struct {
    double *values;
    size_t count, capacity;
} times;

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* Parses the inputs in a line, separated by blanks or a comma; false if the number of
 * inputs is wrong, or if an index is out of the range of the embedding. */
static bool read_inputs(model *m, const char *line)
{
    for (size_t i = 0; i < m->inputs; i++) {
        char *end;
        double number = strtod(line, &end);
        const char *next = skip_blanks(end);
        bool last = i + 1 == m->inputs;
        if (end == line || !isfinite(number) ||
            (!last && next == end && *next != ',') || !set_input(m, i, number))
            return false;
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

/* Adds a latency; drops it if memory is exhausted. */
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

/* Computes and prints a step; false if the output cannot be written. */
static bool step(model *m, times *all)
{
    double start = now();
    step_model(m);
    add_time(all, now() - start);
    for (size_t i = 0; i < m->outputs; i++)
        printf(i ? " %.9g" : "%.9g", m->values[i]);
    putchar('\n');
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "stream: standard output: %s\n", strerror(errno));
    return false;
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
    load_model(&m, arguments[1]);
    while (result == EXIT_SUCCESS && getline(&line, &capacity, stdin) > 0) {
        number++;
        if (read_inputs(&m, line)) {
            result = step(&m, &all) ? EXIT_SUCCESS : EXIT_FAILURE;
        } else {
            fprintf(stderr, "stream: line %zu: expected %zu numbers%s\n", number,
                    m.inputs, m.table ? ", an index of the embedding" : "");
            result = EXIT_FAILURE;
        }
    }
    report(&all);
    free(all.values);
    free(line);
    destroy_model(&m);
    return result;
}
