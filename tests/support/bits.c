/*
 * The networks are small, but none of their sizes is a multiple of a vector. Together
 * they make threads divide rows, hidden units, a linear layer, the norm and the
 * optimiser.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "tests/support/bits.h"
#include "tests/support/draw.h"
#include "tests/support/ending.h"

/* A network and how it is trained. */
struct bits_network {
    lstm_layer_config layer;
    size_t batch, steps, classes, updates;
    /** Steps of each sequence that the head reads: the last, or all. */
    bool all_steps, ragged;
    lstm_adam_config adam;
    double clip;
};

static const struct bits_network networks[] = {
    /* Threads divide the rows. */
    {.layer = {.inputs = 5, .hidden = 21, .layers = 2, .batch_first = true},
     .batch = 17,
     .steps = 6,
     .classes = 11,
     .updates = 50,
     .adam = {.lr = 0.01},
     .clip = 0.5},
    /* Threads divide the hidden units, and wait for each other at each step. */
    {.layer = {.inputs = 6,
               .hidden = 133,
               .layers = 2,
               .proj_size = 30,
               .dropout = 0.25,
               .batch_first = true,
               .bidirectional = true},
     .batch = 3,
     .steps = 4,
     .classes = 7,
     .updates = 4,
     .ragged = true,
     .adam = {.lr = 0.003, .weight_decay = 0.1, .decoupled = true, .amsgrad = true},
     .clip = 1},
    /* Threads divide the head, whose gradients plain C computes with OpenBLAS. */
    {.layer = {.inputs = 3, .hidden = 70, .layers = 1, .batch_first = true},
     .batch = 11,
     .steps = 10,
     .classes = 301,
     .updates = 3,
     .all_steps = true,
     .adam = {.lr = 0.02, .weight_decay = 0.01},
     .clip = 0.1},
    /* Products of bfloat16 pairs, which plain C and most vector sets compute with
     * integers and float32. */
    {.layer = {.inputs = 7,
               .hidden = 37,
               .layers = 2,
               .precision = LSTM_BFLOAT16,
               .batch_first = true},
     .batch = 9,
     .steps = 5,
     .classes = 5,
     .updates = 6,
     .adam = {.lr = 0.01},
     .clip = 0.5},
    /* bfloat16 with lengths, whose threads divide the hidden units. */
    {.layer = {.inputs = 6,
               .hidden = 131,
               .layers = 2,
               .proj_size = 29,
               .precision = LSTM_BFLOAT16,
               .batch_first = true},
     .batch = 4,
     .steps = 5,
     .classes = 7,
     .updates = 4,
     .ragged = true,
     .adam = {.lr = 0.003},
     .clip = 1},
    /* Weight gradients of several chains of steps. */
    {.layer = {.inputs = 4,
               .hidden = 19,
               .layers = 1,
               .proj_size = 5,
               .batch_first = true,
               .bidirectional = true},
     .batch = 60,
     .steps = 90,
     .classes = 3,
     .updates = 2,
     .ragged = true,
     .adam = {.lr = 0.01},
     .clip = 1},
    /* The same in bfloat16. */
    {.layer = {.inputs = 3,
               .hidden = 18,
               .layers = 1,
               .precision = LSTM_BFLOAT16,
               .batch_first = true},
     .batch = 61,
     .steps = 70,
     .classes = 3,
     .updates = 2,
     .adam = {.lr = 0.01},
     .clip = 1},
    /* Weight gradients of several chains in each step. */
    {.layer = {.inputs = 2, .hidden = 6, .layers = 1, .batch_first = true},
     .batch = 2061,
     .steps = 3,
     .classes = 3,
     .updates = 2,
     .ragged = true,
     .adam = {.lr = 0.01},
     .clip = 1},
    /* Several chains in the gradients of h and x, and several in the gradients of the
       head. */
    {.layer =
         {.inputs = 2, .hidden = 261, .layers = 2, .proj_size = 9, .batch_first = true},
     .batch = 13,
     .steps = 11,
     .classes = 5,
     .updates = 2,
     .all_steps = true,
     .adam = {.lr = 0.01},
     .clip = 1},
    /* int8, which has only inference. */
    {.layer = {.inputs = 7,
               .hidden = 37,
               .layers = 2,
               .precision = LSTM_INT8,
               .batch_first = true},
     .batch = 9,
     .steps = 20,
     .classes = 5,
     .adam = {.lr = 0.01}},
    {.layer = {.inputs = 6,
               .hidden = 131,
               .layers = 2,
               .proj_size = 29,
               .precision = LSTM_INT8,
               .batch_first = true,
               .bidirectional = true},
     .batch = 4,
     .steps = 5,
     .classes = 7,
     .ragged = true,
     .adam = {.lr = 0.01}},
    /* A layer has more weights than fit into a cache: the products of the inputs are
     * computed for all steps at once. */
    {.layer = {.inputs = 75,
               .hidden = 170,
               .layers = 2,
               .dropout = 0.25,
               .batch_first = true,
               .bidirectional = true},
     .batch = 5,
     .steps = 4,
     .classes = 7,
     .updates = 2,
     .ragged = true,
     .adam = {.lr = 0.01},
     .clip = 1},
    /* The same in bfloat16. */
    {.layer = {.inputs = 9,
               .hidden = 187,
               .layers = 2,
               .precision = LSTM_BFLOAT16,
               .batch_first = true},
     .batch = 21,
     .steps = 3,
     .classes = 5,
     .updates = 2,
     .adam = {.lr = 0.01},
     .clip = 1},
};
_Static_assert(sizeof(networks) / sizeof(networks[0]) == BITS_NETWORKS,
               "bits.h has the number of networks");

/* Ends the program with the message of a call that failed. */
static void ok(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "%s\n", lstm_last_error());
    exit(status == LSTM_OUT_OF_MEMORY ? ENDING_WITHOUT_MEMORY : EXIT_FAILURE);
}

static uint64_t hash_tensor(uint64_t hash, const lstm_tensor *tensor)
{
    size_t size = lstm_tensor_count(tensor) * sizeof(float);
    return hash_bytes(hash, lstm_tensor_data(tensor), size);
}

/* The input of the head: a view of the last step, or all steps as rows. */
static lstm_tensor *seen_of(const bits_training *t, lstm_tensor *out)
{
    lstm_tensor *seen;
    size_t steps = t->network->steps;
    if (t->network->all_steps)
        ok(lstm_tensor_wrap(
            &seen, lstm_tensor_data(out), 2,
            (size_t[]){t->network->batch * steps, lstm_tensor_extent(out, 2)}, NULL));
    else
        ok(lstm_tensor_select(&seen, out, 1, steps - 1));
    return seen;
}

static void create_tensors(bits_training *t)
{
    const struct bits_network *n = t->network;
    size_t width = (n->layer.proj_size ? n->layer.proj_size : n->layer.hidden) *
                   (n->layer.bidirectional ? 2 : 1);
    size_t rows = n->batch * (n->all_steps ? n->steps : 1);
    ok(lstm_tensor_create(&t->x, 3, (size_t[]){n->batch, n->steps, n->layer.inputs}));
    ok(lstm_tensor_create(&t->out, 3, (size_t[]){n->batch, n->steps, width}));
    ok(lstm_tensor_create(&t->dout, 3, (size_t[]){n->batch, n->steps, width}));
    ok(lstm_tensor_create(&t->logits, 2, (size_t[]){rows, n->classes}));
    ok(lstm_tensor_create(&t->dlogits, 2, (size_t[]){rows, n->classes}));
    t->seen = seen_of(t, t->out);
    t->dseen = seen_of(t, t->dout);
    ok(lstm_linear_create(&t->head,
                          &(lstm_linear_config){.inputs = width, .outputs = n->classes},
                          t->rng));
}

bits_training bits_create(size_t index)
{
    bits_training t = {.network = &networks[index]};
    ok(lstm_rng_create(&t.rng, 11));
    ok(lstm_layer_create(&t.layer, &t.network->layer, t.rng));
    create_tensors(&t);
    ok(lstm_cross_entropy_create(&t.loss, NULL));
    ok(lstm_params_create(&t.params));
    ok(lstm_params_add_layer(t.params, "lstm", t.layer));
    ok(lstm_params_add_linear(t.params, "head", t.head));
    ok(lstm_adam_create(&t.adam, t.params, &t.network->adam));
    return t;
}

void bits_destroy(bits_training *t)
{
    lstm_tensor **tensors[] = {&t->seen, &t->dseen,  &t->x,      &t->out,
                               &t->dout, &t->logits, &t->dlogits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_adam_destroy(&t->adam);
    lstm_params_destroy(&t->params);
    lstm_cross_entropy_destroy(&t->loss);
    lstm_linear_destroy(&t->head);
    lstm_layer_destroy(&t->layer);
    lstm_rng_destroy(&t->rng);
}

static void draw_batch(bits_training *t, uint64_t *seed)
{
    float *x = lstm_tensor_data(t->x);
    for (size_t i = 0; i < lstm_tensor_count(t->x); i++)
        x[i] = 2 * draw_float(seed);
    for (size_t i = 0; i < lstm_tensor_extent(t->logits, 0); i++)
        t->targets[i] = (int64_t)draw_size(seed, 0, t->network->classes - 1);
    for (size_t i = 0; i < t->network->batch; i++)
        t->lengths[i] = t->network->ragged ? draw_size(seed, 1, t->network->steps)
                                           : t->network->steps;
}

float bits_update(bits_training *t, uint64_t *seed)
{
    float value;
    draw_batch(t, seed);
    ok(lstm_layer_forward(t->layer, NULL, t->x, t->lengths, NULL, NULL, t->out, NULL,
                          NULL));
    ok(lstm_linear_forward(t->head, t->seen, t->logits));
    ok(lstm_cross_entropy_forward(t->loss, t->logits, t->targets, &value));
    ok(lstm_params_zero_grad(t->params));
    ok(lstm_cross_entropy_backward(t->loss, NULL, t->dlogits));
    ok(lstm_linear_backward(t->head, t->dlogits, t->dseen));
    ok(lstm_layer_backward(t->layer, NULL, t->dout, NULL, NULL, NULL, NULL, NULL));
    ok(lstm_params_clip_norm(t->params, t->network->clip, NULL));
    ok(lstm_adam_step(t->adam));
    return value;
}

uint64_t bits_parameters(const bits_training *t, uint64_t hash)
{
    for (size_t i = 0; i < lstm_params_size(t->params); i++)
        hash = hash_tensor(hash, lstm_params_value(t->params, i));
    return hash;
}

uint64_t bits_train(bits_training *t)
{
    uint64_t hash = HASH_START, seed = 5;
    for (size_t i = 0; i < t->network->updates; i++) {
        float value = bits_update(t, &seed);
        hash = hash_bytes(hash, &value, sizeof(value));
    }
    return bits_parameters(t, hash);
}

uint64_t bits_infer(bits_training *t)
{
    uint64_t hash = HASH_START, seed = 6;
    draw_batch(t, &seed);
    ok(lstm_layer_set_training(t->layer, false));
    ok(lstm_layer_forward(t->layer, NULL, t->x, NULL, NULL, NULL, t->out, NULL, NULL));
    ok(lstm_linear_forward(t->head, t->seen, t->logits));
    hash = hash_tensor(hash_tensor(hash, t->out), t->logits);
    ok(lstm_layer_forward(t->layer, NULL, t->x, t->lengths, NULL, NULL, t->out, NULL,
                          NULL));
    hash = hash_tensor(hash, t->out);
    for (size_t batch = 1; !t->network->layer.bidirectional && batch <= 4; batch += 3) {
        lstm_stream *stream;
        lstm_tensor *x, *y;
        ok(lstm_tensor_narrow(&x, t->x, 0, 0, batch));
        ok(lstm_tensor_create(
            &y, 3, (size_t[]){batch, t->network->steps, t->network->classes}));
        ok(lstm_stream_create(&stream, t->layer, t->head, batch));
        ok(lstm_stream_step(stream, x, y));
        hash = hash_tensor(hash, y);
        lstm_stream_destroy(&stream);
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&y);
    }
    if (t->network->layer.precision != LSTM_INT8)
        ok(lstm_layer_set_training(t->layer, true));
    return hash;
}

bool bits_in_bfloat16(size_t index)
{
    return networks[index].layer.precision == LSTM_BFLOAT16;
}

bits_of_network bits_run(size_t index, size_t threads)
{
    ok(lstm_set_threads(threads));
    bits_training t = bits_create(index);
    bits_of_network bits = {.training = bits_train(&t)};
    bits.inference = bits_infer(&t);
    bits_destroy(&t);
    return bits;
}

static void add(uint64_t *hash, bits_of_network bits)
{
    *hash = hash_bytes(*hash, &bits.training, sizeof(bits.training));
    *hash = hash_bytes(*hash, &bits.inference, sizeof(bits.inference));
}

int bits_print_hashes(size_t teams)
{
    static const size_t threads[] = {1, 2, 3, 5, 8, 16};
    enum { COUNT = sizeof(threads) / sizeof(threads[0]) };
    uint64_t hashes[COUNT][2];
    for (size_t i = 0; i < teams && i < COUNT; i++) {
        hashes[i][0] = hashes[i][1] = HASH_START;
        for (size_t network = 0; network < BITS_NETWORKS; network++)
            add(&hashes[i][bits_in_bfloat16(network)], bits_run(network, threads[i]));
        if (memcmp(hashes[i], hashes[0], sizeof(hashes[0])) == 0)
            continue;
        printf("%zu threads have other bits than one\n", threads[i]);
        return 1;
    }
    printf("%s fp32 %016" PRIx64 " bf16 %016" PRIx64 "\n", lstm_kernels_name(),
           hashes[0][0], hashes[0][1]);
    return 0;
}
