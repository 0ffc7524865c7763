/*
 * Times the training step of the experiment: 64 sequences of 28 steps of 28 inputs, two
 * layers of 128 units, a linear layer to 10 classes. Bursts of the peak loop run in
 * turns with the steps, because the clock of a processor changes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/limits.h"
#include "tests/bench/measure.h"
#include "tests/verify/part.h"

enum { BATCH = 64, STEPS = 28, INPUTS = 28, HIDDEN = 128, LAYERS = 2, CLASSES = 10 };

/* Floating-point operations of the products of a step: forward, gradients of the
 * weights, and gradients of all inputs but the first layer's. The first step has no
 * recurrent product. */
static double step_flop(void)
{
    const double per_input = 8.0 * BATCH * HIDDEN;
    double first = per_input * INPUTS * STEPS, between = per_input * HIDDEN * STEPS;
    double recurrent = per_input * HIDDEN * (STEPS - 1);
    double forward = first + between + 2 * recurrent;
    return 3 * forward - first;
}

typedef struct experiment {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *hn, *dhn, *last, *dlast, *logits, *dlogits;
    int64_t targets[BATCH];
} experiment;

static void create_tensors(experiment *e)
{
    const size_t images[] = {BATCH, STEPS, INPUTS}, states[] = {LAYERS, BATCH, HIDDEN};
    const size_t scores[] = {BATCH, CLASSES};
    part_must(lstm_tensor_create(&e->x, 3, images));
    part_must(lstm_tensor_create(&e->hn, 3, states));
    part_must(lstm_tensor_create(&e->dhn, 3, states));
    part_must(lstm_tensor_create(&e->logits, 2, scores));
    part_must(lstm_tensor_create(&e->dlogits, 2, scores));
    part_must(lstm_tensor_select(&e->last, e->hn, 0, LAYERS - 1));
    part_must(lstm_tensor_select(&e->dlast, e->dhn, 0, LAYERS - 1));
    part_must(lstm_rng_uniform(e->rng, e->x, -1, 1));
    for (size_t i = 0; i < BATCH; i++)
        e->targets[i] = (int64_t)(i % CLASSES);
}

static void create(experiment *e)
{
    *e = (experiment){0};
    part_must(lstm_rng_create(&e->rng, 1));
    part_must(lstm_layer_create(
        &e->layer,
        &(lstm_layer_config){
            .inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS, .batch_first = true},
        e->rng));
    part_must(lstm_linear_create(
        &e->head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = CLASSES}, e->rng));
    part_must(lstm_cross_entropy_create(&e->loss, NULL));
    part_must(lstm_params_create(&e->params));
    part_must(lstm_params_add_layer(e->params, "lstm", e->layer));
    part_must(lstm_params_add_linear(e->params, "fc", e->head));
    part_must(lstm_adam_create(&e->adam, e->params, &(lstm_adam_config){.lr = 1e-3}));
    create_tensors(e);
}

static void destroy(experiment *e)
{
    lstm_tensor **tensors[] = {&e->last, &e->dlast,  &e->x,      &e->hn,
                               &e->dhn,  &e->logits, &e->dlogits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_adam_destroy(&e->adam);
    lstm_params_destroy(&e->params);
    lstm_cross_entropy_destroy(&e->loss);
    lstm_linear_destroy(&e->head);
    lstm_layer_destroy(&e->layer);
    lstm_rng_destroy(&e->rng);
}

static void step(experiment *e)
{
    float value;
    part_must(
        lstm_layer_forward(e->layer, NULL, e->x, NULL, NULL, NULL, NULL, e->hn, NULL));
    part_must(lstm_linear_forward(e->head, e->last, e->logits));
    part_must(lstm_cross_entropy_forward(e->loss, e->logits, e->targets, &value));
    part_must(lstm_params_zero_grad(e->params));
    part_must(lstm_cross_entropy_backward(e->loss, NULL, e->dlogits));
    part_must(lstm_linear_backward(e->head, e->dlogits, e->dlast));
    part_must(
        lstm_layer_backward(e->layer, NULL, NULL, e->dhn, NULL, NULL, NULL, NULL));
    part_must(lstm_adam_step(e->adam));
}

/* Seconds of CPU time for one operation of the peak loop, from a burst of some 5 ms. */
static double seconds_per_flop(const limit *peak)
{
    double elapsed = 0;
    size_t rounds = 1 << 12;
    while (elapsed < 5e-3) {
        rounds *= 2;
        double start = clock_cpu();
        peak->loop(rounds, NULL);
        elapsed = clock_cpu() - start;
    }
    return elapsed / ((double)rounds * peak->work);
}

/* Median times of a step with this number of threads, and of an operation at the peak;
 * with one thread in CPU time. */
static void measure(size_t threads, double *of_step, double *of_peak)
{
    const double seconds = 3;
    const limit *peak = limit_of_kernels(lstm_kernels_name(), false);
    double (*clock)(void) = threads == 1 ? clock_cpu : clock_wall;
    samples steps = {0}, peaks = {0};
    experiment e;
    part_must(lstm_set_threads(threads));
    create(&e);
    step(&e);
    for (double end = clock_wall() + seconds; clock_wall() < end;) {
        double start = clock();
        step(&e);
        samples_add(&steps, clock() - start);
        if (threads == 1 && steps.count % 4 == 0)
            samples_add(&peaks, seconds_per_flop(peak));
    }
    *of_step = samples_median(&steps);
    *of_peak = samples_median(&peaks);
    samples_destroy(&steps);
    samples_destroy(&peaks);
    destroy(&e);
}

void part_speed(void)
{
    double one, many, peak, unused;
    size_t processors = machine_processors();
    measure(1, &one, &peak);
    part_line(true, "training step, 1 thread",
              "%.2f ms, %.0f%% of the peak, %.1f GFLOP/s", one * 1e3,
              100 * step_flop() * peak / one, 1e-9 / peak);
    if (processors < 2)
        return;
    measure(processors, &many, &unused);
    char name[64];
    snprintf(name, sizeof(name), "training step, %zu threads", processors);
    part_line(true, name, "%.2f ms, %.2f times as fast", many * 1e3, one / many);
}
