/*
 * Runs streams and trainings for a long time: memory, handles and threads of the
 * process stay constant, and so does the time of a step, which is printed.
 *
 * usage: soak [STREAM-STEPS [TRAINING-STEPS]]     (10^8 and 10^5)
 *
 * Now and then the input is not-a-number, infinite or denormal. After the first two,
 * the states start again; denormal inputs and states must not leave the time of later
 * steps changed. Trainings have other sizes at each step.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/support/draw.h"

enum { UNITS = 16, PARTS = 10, SIZES = 24, MOST = 12, CLASSES = 5 };

/* What must not grow. */
typedef struct resources {
    long pages;
    size_t files, threads;
} resources;

static void ok(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "soak: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

static size_t entries_of(const char *folder)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    while (open && readdir(open))
        count++;
    if (open)
        closedir(open);
    return count;
}

static resources measure(void)
{
    resources r = {.files = entries_of("/proc/self/fd"),
                   .threads = entries_of("/proc/self/task")};
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*s %ld", &r.pages) != 1)
        r.pages = 0;
    if (file)
        fclose(file);
    return r;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Prints what a run used after its first part and at its end; false if it grew. */
static bool report(const char *what, size_t steps, const double *seconds,
                   const resources *early, const resources *late)
{
    double first = seconds[1], last = seconds[PARTS - 1];
    long grown = (late->pages - early->pages) * sysconf(_SC_PAGESIZE);
    bool same =
        grown <= 0 && late->files == early->files && late->threads == early->threads;
    printf("%s: %zu steps, %.0f ns each, last tenth %.2f times the second; memory %+ld "
           "bytes, files %+ld, threads %+ld: %s\n",
           what, steps, last * PARTS * 1e9 / (double)steps, last / first, grown,
           (long)late->files - (long)early->files,
           (long)late->threads - (long)early->threads, same ? "constant" : "GROWN");
    fflush(stdout);
    return same;
}

/* A value for step number index: now and then one that arithmetic treats specially. */
static float value_at(size_t index, uint64_t *seed)
{
    switch (index % 100003) {
    case 0:
        return NAN;
    case 1:
        return INFINITY;
    case 2:
        return -INFINITY;
    default:
        return index % 5000 < 100 ? 1e-41f : draw_float(seed);
    }
}

static void check_output(lstm_stream *stream, float x, float y, size_t step)
{
    if (!isfinite(x)) {
        ok(lstm_stream_reset(stream, NULL));
    } else if (!isfinite(y)) {
        fprintf(stderr, "soak: output of step %zu is %g\n", step, (double)y);
        exit(EXIT_FAILURE);
    }
}

static bool soak_stream(size_t steps)
{
    const size_t one[] = {1, 1};
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_stream *stream;
    lstm_tensor *x, *y;
    uint64_t seed = 1;
    double seconds[PARTS];
    resources early = {0}, late;
    ok(lstm_rng_create(&rng, 1));
    ok(lstm_layer_create(&layer, &(lstm_layer_config){.inputs = 1, .hidden = UNITS},
                         rng));
    ok(lstm_linear_create(&head, &(lstm_linear_config){.inputs = UNITS, .outputs = 1},
                          rng));
    ok(lstm_layer_set_training(layer, false));
    ok(lstm_stream_create(&stream, layer, head, 1));
    ok(lstm_tensor_create(&x, 2, one));
    ok(lstm_tensor_create(&y, 2, one));
    float *in = lstm_tensor_data(x), *out = lstm_tensor_data(y);
    for (size_t part = 0; part < PARTS; part++) {
        double start = now();
        for (size_t i = part * (steps / PARTS); i < (part + 1) * (steps / PARTS); i++) {
            *in = value_at(i, &seed);
            ok(lstm_stream_step(stream, x, y));
            check_output(stream, *in, *out, i);
        }
        seconds[part] = now() - start;
        if (part == 0)
            early = measure();
    }
    late = measure();
    lstm_tensor_destroy(&y);
    lstm_tensor_destroy(&x);
    lstm_stream_destroy(&stream);
    lstm_linear_destroy(&head);
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    return report("stream", steps, seconds, &early, &late);
}

/* A network that trains on batches of any size up to MOST by MOST. */
typedef struct training {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
} training;

static training create_training(void)
{
    training t;
    ok(lstm_rng_create(&t.rng, 1));
    ok(lstm_layer_create(&t.layer,
                         &(lstm_layer_config){.inputs = SIZES,
                                              .hidden = SIZES,
                                              .layers = 2,
                                              .dropout = 0.1,
                                              .batch_first = true},
                         t.rng));
    ok(lstm_linear_create(
        &t.head, &(lstm_linear_config){.inputs = SIZES, .outputs = CLASSES}, t.rng));
    ok(lstm_cross_entropy_create(&t.loss, NULL));
    ok(lstm_params_create(&t.params));
    ok(lstm_params_add_layer(t.params, "lstm", t.layer));
    ok(lstm_params_add_linear(t.params, "head", t.head));
    ok(lstm_adam_create(&t.adam, t.params, &(lstm_adam_config){.lr = 1e-3}));
    return t;
}

static void destroy_training(training *t)
{
    lstm_adam_destroy(&t->adam);
    lstm_params_destroy(&t->params);
    lstm_cross_entropy_destroy(&t->loss);
    lstm_linear_destroy(&t->head);
    lstm_layer_destroy(&t->layer);
    lstm_rng_destroy(&t->rng);
}

/* Trains on a batch of random sizes. An input that is not finite must give a loss that
 * is not finite; the optimiser refuses its gradients. */
static void train(training *t, size_t index, uint64_t *seed)
{
    size_t batch = draw_size(seed, 1, MOST), steps = draw_size(seed, 1, MOST);
    lstm_tensor *x, *out, *dout, *last, *dlast, *logits, *dlogits;
    int64_t targets[MOST];
    float loss;
    ok(lstm_tensor_create(&x, 3, (size_t[]){batch, steps, SIZES}));
    ok(lstm_tensor_create(&out, 3, (size_t[]){batch, steps, SIZES}));
    ok(lstm_tensor_create(&dout, 3, (size_t[]){batch, steps, SIZES}));
    ok(lstm_tensor_create(&logits, 2, (size_t[]){batch, CLASSES}));
    ok(lstm_tensor_create(&dlogits, 2, (size_t[]){batch, CLASSES}));
    ok(lstm_tensor_select(&last, out, 1, steps - 1));
    ok(lstm_tensor_select(&dlast, dout, 1, steps - 1));
    for (size_t i = 0; i < lstm_tensor_count(x); i++)
        lstm_tensor_data(x)[i] = draw_float(seed);
    lstm_tensor_data(x)[0] = index % 1009 == 0 ? NAN : index % 7 == 0 ? 1e-41f : 1;
    for (size_t i = 0; i < batch; i++)
        targets[i] = (int64_t)draw_size(seed, 0, CLASSES - 1);
    ok(lstm_layer_forward(t->layer, NULL, x, NULL, NULL, NULL, out, NULL, NULL));
    ok(lstm_linear_forward(t->head, last, logits));
    ok(lstm_cross_entropy_forward(t->loss, logits, targets, &loss));
    if (isfinite(loss) == (index % 1009 == 0)) {
        fprintf(stderr, "soak: loss of step %zu is %g\n", index, (double)loss);
        exit(EXIT_FAILURE);
    }
    ok(lstm_params_zero_grad(t->params));
    ok(lstm_cross_entropy_backward(t->loss, NULL, dlogits));
    ok(lstm_linear_backward(t->head, dlogits, dlast));
    ok(lstm_layer_backward(t->layer, NULL, dout, NULL, NULL, NULL, NULL, NULL));
    if (isfinite(loss))
        ok(lstm_adam_step(t->adam));
    lstm_tensor **all[] = {&last, &dlast, &x, &out, &dout, &logits, &dlogits};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        lstm_tensor_destroy(all[i]);
}

static bool soak_training(size_t steps)
{
    training t = create_training();
    uint64_t seed = 2;
    double seconds[PARTS];
    resources early = {0}, late;
    for (size_t part = 0; part < PARTS; part++) {
        double start = now();
        for (size_t i = part * (steps / PARTS); i < (part + 1) * (steps / PARTS); i++)
            train(&t, i, &seed);
        seconds[part] = now() - start;
        if (part == 0)
            early = measure();
    }
    late = measure();
    destroy_training(&t);
    return report("training", steps, seconds, &early, &late);
}

int main(int argc, char **argv)
{
    size_t stream = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000000;
    size_t steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    if (stream < PARTS || steps < PARTS) {
        fprintf(stderr, "usage: soak [STREAM_STEPS [TRAININGS]]\n");
        return 2;
    }
    bool constant = soak_stream(stream);
    return soak_training(steps) && constant ? EXIT_SUCCESS : EXIT_FAILURE;
}
