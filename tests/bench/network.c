#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lstm/core/pool.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/nn/pass.h"
#include "tests/bench/measure.h"
#include "tests/bench/network.h"

const char *const phase_names[PHASES] = {"loader",   "pack",      "forward",  "head",
                                         "backward", "gradients", "optimiser"};

/* Operations of the product of x, or of h, with the weights of a layer; forward and
 * backward have the same number. */
static double product_flop(const shape *s, size_t layer, bool input)
{
    double per_step = 8.0 * (double)s->batch * (double)s->hidden;
    if (!input)
        return per_step * (double)s->hidden * (double)(s->steps - 1);
    size_t width = layer ? s->hidden : s->inputs;
    return per_step * (double)width * (double)s->steps;
}

double shape_forward_flop(const shape *s)
{
    double sum = 0;
    for (size_t l = 0; l < s->layers; l++)
        sum += product_flop(s, l, true) + product_flop(s, l, false);
    return sum;
}

double phase_flop(const shape *s, phase p)
{
    if (p == PHASE_FORWARD || p == PHASE_GRADIENTS)
        return shape_forward_flop(s);
    if (p == PHASE_BACKWARD)
        return shape_forward_flop(s) - product_flop(s, 0, true);
    return 0;
}

double shape_training_flop(const shape *s)
{
    double sum = 0;
    for (int p = 0; p < PHASES; p++)
        sum += phase_flop(s, (phase)p);
    return sum;
}

void must(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "lstm-bench: %s\n", lstm_last_error());
    exit(1);
}

static lstm_tensor *tensor(size_t rank, const size_t *extents)
{
    lstm_tensor *out;
    must(lstm_tensor_create(&out, rank, extents));
    return out;
}

static void create_objects(network *net, lstm_precision precision)
{
    const shape *s = &net->shape;
    must(lstm_rng_create(&net->rng, 1));
    must(lstm_layer_create(&net->layer,
                           &(lstm_layer_config){.inputs = s->inputs,
                                                .hidden = s->hidden,
                                                .layers = s->layers,
                                                .batch_first = true,
                                                .precision = precision},
                           net->rng));
    must(lstm_linear_create(
        &net->head, &(lstm_linear_config){.inputs = s->hidden, .outputs = net->outputs},
        net->rng));
    must(lstm_cross_entropy_create(&net->loss, NULL));
    must(lstm_params_create(&net->params));
    must(lstm_params_add_layer(net->params, "lstm", net->layer));
    must(lstm_params_add_linear(net->params, "fc", net->head));
    must(lstm_adam_create(&net->adam, net->params, NULL));
}

static void create_tensors(network *net)
{
    const shape *s = &net->shape;
    net->x = tensor(3, (size_t[]){s->batch, s->steps, s->inputs});
    net->hn = tensor(3, (size_t[]){s->layers, s->batch, s->hidden});
    net->cn = tensor(3, (size_t[]){s->layers, s->batch, s->hidden});
    net->dhn = tensor(3, (size_t[]){s->layers, s->batch, s->hidden});
    net->logits = tensor(2, (size_t[]){s->batch, net->outputs});
    net->dlogits = tensor(2, (size_t[]){s->batch, net->outputs});
    must(lstm_tensor_select(&net->last, net->hn, 0, s->layers - 1));
    must(lstm_tensor_select(&net->dlast, net->dhn, 0, s->layers - 1));
}

static void draw_input(network *net)
{
    float *x = lstm_tensor_data(net->x);
    uint32_t seed = 1;
    for (size_t i = 0; i < lstm_tensor_count(net->x); i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) * 0x1p-23f - 1;
    }
    net->targets = must_allocate(net->shape.batch, sizeof(int64_t));
    for (size_t i = 0; i < net->shape.batch; i++)
        net->targets[i] = (int64_t)(i % net->outputs);
}

network network_create(const shape *s, size_t outputs, lstm_precision precision)
{
    network net = {.shape = *s, .outputs = outputs};
    create_objects(&net, precision);
    create_tensors(&net);
    draw_input(&net);
    return net;
}

void network_destroy(network *net)
{
    lstm_tensor **tensors[] = {&net->last, &net->dlast, &net->x,      &net->hn,
                               &net->cn,   &net->dhn,   &net->logits, &net->dlogits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_adam_destroy(&net->adam);
    lstm_params_destroy(&net->params);
    lstm_cross_entropy_destroy(&net->loss);
    lstm_linear_destroy(&net->head);
    lstm_layer_destroy(&net->layer);
    lstm_rng_destroy(&net->rng);
    free(net->targets);
}

static void forward(network *net)
{
    must(lstm_layer_forward(net->layer, NULL, net->x, NULL, NULL, NULL, NULL, net->hn,
                            NULL));
}

static void run_head(network *net)
{
    float value;
    must(lstm_linear_forward(net->head, net->last, net->logits));
    must(lstm_cross_entropy_forward(net->loss, net->logits, net->targets, &value));
    must(lstm_cross_entropy_backward(net->loss, NULL, net->dlogits));
    must(lstm_linear_backward(net->head, net->dlogits, net->dlast));
}

static void backward(network *net)
{
    must(lstm_layer_backward(net->layer, NULL, NULL, net->dhn, NULL, NULL, NULL, NULL));
}

void network_train(network *net)
{
    forward(net);
    must(lstm_params_zero_grad(net->params));
    run_head(net);
    backward(net);
    must(lstm_adam_step(net->adam));
}

void network_infer(network *net)
{
    forward(net);
    must(lstm_linear_forward(net->head, net->last, net->logits));
}

static void gradient_thread(void *context, lstm_team *team, size_t thread,
                            size_t threads)
{
    (void)team;
    network *net = context;
    lstm_weight_gradients(&net->layer->weights, net->layer->tape, &net->layer->scratch,
                          thread, threads);
}

/* Seconds since *before; sets *before to now. */
static double lap(double (*clock)(void), double *before)
{
    double now = clock(), seconds = now - *before;
    *before = now;
    return seconds;
}

void network_train_phases(network *net, double (*clock)(void), double *seconds)
{
    memset(seconds, 0, PHASES * sizeof(*seconds));
    double at = clock();
    must(lstm_weights_pack(&net->layer->weights, true, true));
    double pack = lap(clock, &at);
    forward(net);
    seconds[PHASE_FORWARD] = lap(clock, &at) - pack;
    must(lstm_params_zero_grad(net->params));
    seconds[PHASE_OPTIMISER] = lap(clock, &at);
    run_head(net);
    seconds[PHASE_HEAD] = lap(clock, &at);
    must(lstm_weights_pack_backward(&net->layer->weights, false));
    double pack_back = lap(clock, &at);
    backward(net);
    double whole = lap(clock, &at);
    lstm_queues_reset(net->layer->scratch.queues, net->layer->scratch.queue_count);
    lstm_pool_run(gradient_thread, net, lstm_threads());
    seconds[PHASE_GRADIENTS] = lap(clock, &at);
    must(lstm_adam_step(net->adam));
    seconds[PHASE_OPTIMISER] += lap(clock, &at);
    seconds[PHASE_PACK] = pack + pack_back;
    seconds[PHASE_BACKWARD] = whole - seconds[PHASE_GRADIENTS];
}
