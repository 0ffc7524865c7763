/*
 * Hashes of training and inference: the same bits for any number of threads, and in the
 * reproducible mode on every processor. They must equal bits.h.
 *
 * The networks are small, but none of their sizes is a multiple of a vector. Together
 * they make threads divide rows, hidden units, a linear layer, the norm and the
 * optimiser. With --print the program writes a new bits.h.
 */
#include <lstm/lstm.h>

#include "tests/golden/bits.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

typedef struct network {
    lstm_layer_config layer;
    size_t batch, steps, classes, updates;
    /** Steps of each sequence that the head reads: the last, or all. */
    bool all_steps, ragged;
    lstm_adam_config adam;
    double clip;
} network;

static const network networks[] = {
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
};
enum { NETWORKS = sizeof(networks) / sizeof(networks[0]), WITH_OPENBLAS = 2 };

/* The objects and tensors of a training. */
typedef struct training {
    const network *network;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *out, *dout, *seen, *dseen, *logits, *dlogits;
    int64_t targets[256];
    size_t lengths[64];
} training;

static void ok(lstm_status status)
{
    if (status != LSTM_OK)
        print_error("%s\n", lstm_last_error());
    assert_int_equal(status, LSTM_OK);
}

static uint64_t hash_tensor(uint64_t hash, const lstm_tensor *tensor)
{
    size_t size = lstm_tensor_count(tensor) * sizeof(float);
    return hash_bytes(hash, lstm_tensor_data(tensor), size);
}

/* The input of the head: a view of the last step, or all steps as rows. */
static lstm_tensor *seen_of(const training *t, lstm_tensor *out)
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

static void create_tensors(training *t)
{
    const network *n = t->network;
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

static training create_training(const network *n)
{
    training t = {.network = n};
    ok(lstm_rng_create(&t.rng, 11));
    ok(lstm_layer_create(&t.layer, &n->layer, t.rng));
    create_tensors(&t);
    ok(lstm_cross_entropy_create(&t.loss, NULL));
    ok(lstm_params_create(&t.params));
    ok(lstm_params_add_layer(t.params, "lstm", t.layer));
    ok(lstm_params_add_linear(t.params, "head", t.head));
    ok(lstm_adam_create(&t.adam, t.params, &n->adam));
    return t;
}

static void destroy_training(training *t)
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

static void draw_batch(training *t, uint64_t *seed)
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

/* Trains one step; returns its loss. */
static float update(training *t)
{
    float value;
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

/* Hash of all losses and of the final parameters. */
static uint64_t train(training *t)
{
    uint64_t hash = HASH_START, seed = 5;
    for (size_t i = 0; i < t->network->updates; i++) {
        draw_batch(t, &seed);
        float value = update(t);
        hash = hash_bytes(hash, &value, sizeof(value));
    }
    for (size_t i = 0; i < lstm_params_size(t->params); i++)
        hash = hash_tensor(hash, lstm_params_value(t->params, i));
    return hash;
}

/* Hash of an evaluation, whole and as a stream of sequences. */
static uint64_t infer(training *t)
{
    uint64_t hash = HASH_START, seed = 6;
    draw_batch(t, &seed);
    ok(lstm_layer_set_training(t->layer, false));
    ok(lstm_layer_forward(t->layer, NULL, t->x, NULL, NULL, NULL, t->out, NULL, NULL));
    ok(lstm_linear_forward(t->head, t->seen, t->logits));
    hash = hash_tensor(hash_tensor(hash, t->out), t->logits);
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
    ok(lstm_layer_set_training(t->layer, true));
    return hash;
}

/* Trains network number index on this number of threads, then runs inference. */
static bits_of_network run(size_t index, size_t threads)
{
    ok(lstm_set_threads(threads));
    training t = create_training(&networks[index]);
    bits_of_network bits = {.training = train(&t)};
    bits.inference = infer(&t);
    destroy_training(&t);
    return bits;
}

static void assert_same(bits_of_network found, bits_of_network expected)
{
    assert_true(found.training == expected.training);
    assert_true(found.inference == expected.inference);
}

/* Whether plain C runs without the reproducible mode: its bits then depend on OpenBLAS.
 */
static bool is_plain(void)
{
    const char *text = getenv("LSTM_REPRODUCIBLE");
    bool reproducible = text && strcmp(text, "1") == 0;
    return strcmp(lstm_kernels_name(), "generic") == 0 && !reproducible;
}

static void threads_do_not_change_results(void **state)
{
    (void)state;
    static const size_t threads[] = {2, 3, 4, 5, 7, 8, 16};
    /* Only one of them uses OpenBLAS. */
    size_t only = getenv("OPENBLAS_CORETYPE") ? WITH_OPENBLAS : NETWORKS;
    for (size_t i = 0; i < NETWORKS; i++) {
        if (only < NETWORKS && i != only)
            continue;
        bits_of_network one = run(i, 1);
        for (size_t j = 0; j < sizeof(threads) / sizeof(threads[0]); j++)
            assert_same(run(i, threads[j]), one);
    }
}

static void every_other_set_has_the_bits_of_every_processor(void **state)
{
    (void)state;
    for (size_t i = 0; !is_plain() && i < NETWORKS; i++)
        assert_same(run(i, 2), golden_bits[i]);
}

static void the_reproducible_mode_has_the_bits_of_every_processor(void **state)
{
    (void)state;
    lstm_set_reproducible(true);
    for (size_t i = 0; i < NETWORKS; i++)
        for (size_t threads = 1; threads <= 4; threads += 3)
            assert_same(run(i, threads), golden_bits[i]);
    lstm_set_reproducible(false);
}

static void the_mode_may_change_between_calls(void **state)
{
    (void)state;
    training t = create_training(&networks[0]);
    uint64_t seed = 5;
    draw_batch(&t, &seed);
    /* Packs the weights and allocates the workspace. */
    ok(lstm_layer_forward(t.layer, NULL, t.x, NULL, NULL, NULL, t.out, NULL, NULL));
    lstm_set_reproducible(true);
    assert_true(train(&t) == golden_bits[0].training);
    uint64_t inference = infer(&t);
    assert_true(inference == golden_bits[0].inference);
    lstm_set_reproducible(false);
    bool vector = strcmp(lstm_kernels_name(), "generic") != 0;
    assert_int_equal(infer(&t) == inference, vector);
    destroy_training(&t);
}

/* OpenBLAS uses the kernels that OPENBLAS_CORETYPE names even if the processor does not
 * support them. */
static void skip_without_the_core(void)
{
    static const char *const needs[][2] = {
        {"Prescott", " pni"},
        {"Nehalem", " sse4_2"},
        {"Sandybridge", " avx"},
        {"Haswell", " avx2"},
        {"Zen", " avx2"},
        {"SkylakeX", " avx512vl"},
        {"Cooperlake", " avx512_bf16"},
    };
    const char *core = getenv("OPENBLAS_CORETYPE");
    char line[8192] = "";
    FILE *file = core ? fopen("/proc/cpuinfo", "r") : NULL;
    while (file && strncmp(line, "flags", 5) != 0 && fgets(line, sizeof(line), file))
        continue;
    if (file)
        fclose(file);
    for (size_t i = 0; core && i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(core, needs[i][0]) == 0 && !strstr(line, needs[i][1]))
            test_skip_all("this machine cannot run the kernels of OPENBLAS_CORETYPE");
}

static int print_golden(void)
{
    lstm_set_reproducible(true);
    printf("/* Written by make_bits.sh. */\n"
           "#ifndef TESTS_GOLDEN_BITS_H\n#define TESTS_GOLDEN_BITS_H\n\n"
           "#include <stdint.h>\n\n"
           "/* Hashes of the networks of test_bits.c. */\n"
           "typedef struct bits_of_network {\n"
           "    uint64_t training, inference;\n} bits_of_network;\n\n"
           "static const bits_of_network golden_bits[] = {\n");
    for (size_t i = 0; i < NETWORKS; i++) {
        bits_of_network bits = run(i, 1);
        printf("    {UINT64_C(0x%016llx), UINT64_C(0x%016llx)},\n",
               (unsigned long long)bits.training, (unsigned long long)bits.inference);
    }
    printf("};\n\n#endif\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return print_golden();
    const struct CMUnitTest of_openblas[] = {TEST(threads_do_not_change_results)};
    skip_without_the_core();
    if (getenv("OPENBLAS_CORETYPE"))
        return cmocka_run_group_tests(of_openblas, NULL, NULL);
    const struct CMUnitTest tests[] = {
        TEST(threads_do_not_change_results),
        TEST(every_other_set_has_the_bits_of_every_processor),
        TEST(the_reproducible_mode_has_the_bits_of_every_processor),
        TEST(the_mode_may_change_between_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
