#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lstm/core/pool.h"
#include "lib/mnist/dataset.h"
#include "tests/bench/machine.h"
#include "tests/bench/measure.h"
#include "tests/bench/series.h"
#include "tests/bench/suite.h"

const shape experiment = {64, 28, 28, 128, 2};

/* Each H occurs with every value of N, T and L at least once, unless a step would take
 * many seconds. */
const shape sweep_shapes[] = {
    {8, 100, 28, 32, 1},     {32, 28, 28, 32, 2},
    {64, 10, 28, 32, 3},     {256, 28, 28, 32, 1},
    {64, 1, 28, 32, 1},      {8, 28, 50, 50, 1},
    {32, 10, 28, 50, 3},     {64, 28, 28, 50, 2},
    {256, 100, 28, 50, 1},   {32, 1, 28, 50, 2},
    {8, 10, 28, 64, 2},      {32, 100, 64, 64, 1},
    {64, 28, 28, 64, 2},     {256, 28, 28, 64, 3},
    {256, 1, 28, 64, 1},     {8, 28, 28, 100, 3},
    {32, 28, 100, 100, 1},   {64, 10, 28, 100, 2},
    {64, 100, 28, 100, 1},   {256, 10, 40, 100, 2},
    {8, 1, 28, 100, 1},      {8, 28, 28, 128, 2},
    {32, 10, 28, 128, 1},    {32, 100, 28, 128, 2},
    {64, 28, 28, 128, 2},    {64, 100, 128, 128, 3},
    {256, 28, 28, 128, 1},   {64, 1, 28, 128, 3},
    {8, 100, 28, 200, 1},    {32, 28, 28, 200, 2},
    {64, 10, 200, 200, 1},   {256, 10, 28, 200, 2},
    {32, 1, 28, 200, 1},     {8, 28, 28, 256, 1},
    {32, 10, 256, 256, 3},   {64, 28, 28, 256, 2},
    {64, 100, 28, 256, 1},   {256, 10, 28, 256, 1},
    {256, 1, 256, 256, 2},   {8, 10, 28, 512, 1},
    {32, 28, 28, 512, 1},    {64, 10, 512, 512, 2},
    {64, 28, 28, 512, 2},    {64, 1, 28, 512, 1},
    {8, 10, 28, 1024, 1},    {32, 10, 28, 1024, 1},
    {64, 10, 1024, 1024, 1}, {32, 28, 28, 1024, 2},
    {64, 1, 28, 1024, 1},    {0},
};

void measure_limits(const plan *p, size_t threads)
{
    for (const limit *l = limits; l->name; l++) {
        if (!l->available())
            continue;
        for (size_t t = 1; t <= threads; t += threads > 1 ? threads - 1 : 1)
            report_limit(p->report, l->name, l->unit, t,
                         limit_run(l, t, p->seconds / 4));
    }
}

/* Measures phases in CPU time with one thread, otherwise in wall-clock time. */
static void measure_phases(const plan *p, network *net, size_t threads, double peak)
{
    samples times[PHASES] = {{0}};
    enum { MIN_SAMPLES = 5 };
    double seconds[PHASES], end = clock_wall() + p->seconds;
    while (times[0].count < MIN_SAMPLES || clock_wall() < end) {
        network_train_phases(net, threads == 1 ? clock_cpu : clock_wall, seconds);
        for (int i = 0; i < PHASES; i++)
            samples_add(&times[i], seconds[i]);
    }
    for (int i = PHASE_LOADER + 1; i < PHASES; i++) {
        double median = samples_median(&times[i]);
        report_result(p->report, &(result){.name = phase_names[i],
                                           .shape = net->shape,
                                           .threads = threads,
                                           .median = median,
                                           .p10 = samples_p10(&times[i]),
                                           .cpu = threads == 1 ? median : 0,
                                           .flop = phase_flop(&net->shape, (phase)i),
                                           .peak = peak});
        samples_destroy(&times[i]);
    }
    samples_destroy(&times[PHASE_LOADER]);
}

void measure_training(const plan *p, const shape *s, size_t threads, bool phases)
{
    if (lstm_set_threads(threads))
        return;
    network net = network_create(s, p->outputs, p->precision);
    series steps = series_measure(p, threads, 1, network_train, &net);
    series_report(p, "train", &net, threads, shape_training_flop(s), &steps);
    double peak = limit_typical(&steps.inverse_peak, threads);
    series_destroy(&steps);
    if (phases)
        measure_phases(p, &net, threads, peak);
    network_destroy(&net);
}

void measure_inference(const plan *p, const shape *s, size_t threads)
{
    if (lstm_set_threads(threads))
        return;
    network net = network_create(s, p->outputs, p->precision);
    if (lstm_layer_set_training(net.layer, false))
        return;
    series steps = series_measure(p, threads, 1, network_infer, &net);
    series_report(p, "infer", &net, threads, shape_forward_flop(s), &steps);
    series_destroy(&steps);
    network_destroy(&net);
}

/* Creates a loader of as many images as MNIST has, of steps by inputs pixels. */
static mnist_loader *create_loader(mnist_dataset **images, const shape *s)
{
    enum { COUNT = 60000 };
    mnist_loader *loader = NULL;
    if (mnist_dataset_new(images, COUNT, s->steps, s->inputs, 10, true, "bench"))
        return NULL;
    for (size_t i = 0; i < COUNT * s->steps * s->inputs; i++)
        (*images)->images[i] = (uint8_t)(i * 31);
    mnist_loader_config config = {.batch_size = s->batch, .shuffle = true};
    if (mnist_loader_create(&loader, *images, &config))
        return NULL;
    return loader;
}

void measure_loader(const plan *p, const shape *s)
{
    mnist_dataset *images = NULL;
    mnist_loader *loader = create_loader(&images, s);
    float *pixels = must_allocate(s->batch * s->steps * s->inputs, sizeof(float));
    int64_t *labels = must_allocate(s->batch, sizeof(*labels));
    samples wall = {0}, cpu = {0};
    for (double end = clock_wall() + p->seconds / 4; loader && clock_wall() < end;) {
        if (mnist_loader_position(loader) + s->batch > mnist_dataset_count(images))
            mnist_loader_start(loader, wall.count);
        double at = clock_wall(), cpu_at = clock_cpu();
        mnist_loader_next(loader, pixels, labels);
        samples_add(&cpu, clock_cpu() - cpu_at);
        samples_add(&wall, clock_wall() - at);
    }
    report_result(p->report, &(result){.name = phase_names[PHASE_LOADER],
                                       .shape = *s,
                                       .threads = 1,
                                       .median = samples_median(&wall),
                                       .p10 = samples_p10(&wall),
                                       .cpu = samples_median(&cpu)});
    samples_destroy(&wall);
    samples_destroy(&cpu);
    free(labels);
    free(pixels);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&images);
}

/* Reads four arrays and writes three of them, as an Adam step does. */
typedef struct {
    size_t count;
    float *arrays;
} touch;

static void touch_thread(void *context, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    const touch *t = context;
    size_t start = lstm_range_start(t->count, 16, thread, threads);
    size_t end = lstm_range_start(t->count, 16, thread + 1, threads);
    float *restrict p = t->arrays, *restrict m = p + t->count;
    float *restrict v = m + t->count;
    const float *restrict g = v + t->count;
    for (size_t i = start; i < end; i++) {
        p[i] = p[i] + g[i];
        m[i] = m[i] + g[i];
        v[i] = v[i] + g[i];
    }
}

void measure_optimiser(const plan *p, const shape *s, size_t threads)
{
    if (lstm_set_threads(threads))
        return;
    network net = network_create(s, p->outputs, p->precision);
    touch t = {lstm_params_count(net.params), NULL};
    t.arrays = must_allocate(4 * t.count, sizeof(float));
    memset(t.arrays, 0, 4 * t.count * sizeof(float));
    samples adam = {0}, memory = {0};
    for (double end = clock_wall() + p->seconds / 4; clock_wall() < end;) {
        double (*clock)(void) = threads == 1 ? clock_cpu : clock_wall;
        double at = clock();
        if (lstm_adam_step(net.adam))
            break;
        double between = clock();
        samples_add(&adam, between - at);
        lstm_pool_run(touch_thread, &t, threads);
        samples_add(&memory, clock() - between);
    }
    samples *both[] = {&adam, &memory};
    for (size_t i = 0; i < 2; i++) {
        report_result(p->report, &(result){.name = i ? "(memory)" : "adam",
                                           .shape = *s,
                                           .threads = threads,
                                           .median = samples_median(both[i]),
                                           .p10 = samples_p10(both[i])});
        samples_destroy(both[i]);
    }
    free(t.arrays);
    network_destroy(&net);
}
