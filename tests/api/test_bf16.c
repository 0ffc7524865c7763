/*
 * Layers with products of bfloat16, compared with the same layers in float32.
 *
 * Properties of all layers (bits for any number of threads, lengths, splits, padding)
 * are tested in properties and stream, which run in both precisions.
 */
#include "tests/support/draw.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

/* Sum of squares of the difference and of the values, of tensors of one shape. */
static double relative_difference(const lstm_tensor *found, const lstm_tensor *exact)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < lstm_tensor_count(exact); i++) {
        double value = (double)lstm_tensor_data(exact)[i];
        double error = (double)lstm_tensor_data(found)[i] - value;
        difference += error * error;
        size += value * value;
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

static layer_case *case_of(size_t i, lstm_precision precision)
{
    layer_options options = layer_case_options(i, 21);
    options.config.precision = precision;
    return layer_case_create(&options);
}

static void config_keeps_the_precision_and_refuses_an_unknown_one(void **state)
{
    (void)state;
    lstm_layer_config config = {.inputs = 2, .hidden = 3, .precision = LSTM_BFLOAT16};
    lstm_layer *layer;
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_get_config(layer)->precision, LSTM_BFLOAT16);
    lstm_layer_destroy(&layer);
    config.precision = (lstm_precision)7;
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_INVALID_ARGUMENT);
    assert_null(layer);
    assert_contains(lstm_last_error(), "precision 7");
}

static void parameters_are_float32_and_the_same_as_without(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_FLOAT32), *b = case_of(i, LSTM_BFLOAT16);
        for (size_t k = 0; k < lstm_params_size(a->params); k++)
            assert_same_bits(lstm_params_value(a->params, k),
                             lstm_params_value(b->params, k));
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

/* The relative error of an operand is at most 2^-8, and slightly over 2^-9 on average.
 * Sums of many such errors of both signs keep that size. Two rounded operands, one of
 * which is the result of rounded products, give about 3e-3; measured errors are up to
 * 4e-3. docs/numerics.md states the limit. */
static void assert_near(const lstm_tensor *found, const lstm_tensor *exact)
{
    assert_close(relative_difference(found, exact), 0, 0x1p-7);
}

/* The masks of dropout are the same in both precisions. */
static layer_case *with_dropout(size_t i, lstm_precision precision)
{
    layer_options options = layer_case_options(i, 21);
    options.config.precision = precision;
    options.config.dropout = options.config.layers > 1 ? 0.4 : 0;
    return layer_case_create(&options);
}

static void outputs_and_gradients_are_near_those_of_float32(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * LAYER_CASE_SPREAD; i++) {
        layer_case *(*create)(size_t, lstm_precision) = i % 2 ? with_dropout : case_of;
        layer_case *a = create(i / 2, LSTM_FLOAT32), *b = create(i / 2, LSTM_BFLOAT16);
        layer_case_run(a);
        layer_case_run(b);
        const lstm_tensor *exact[] = {a->out, a->hn, a->cn, a->dx, a->dh0, a->dc0};
        const lstm_tensor *found[] = {b->out, b->hn, b->cn, b->dx, b->dh0, b->dc0};
        for (size_t k = 0; k < sizeof(exact) / sizeof(exact[0]); k++)
            assert_near(found[k], exact[k]);
        for (size_t k = 0; k < lstm_params_size(a->params); k++)
            assert_near(lstm_params_grad(b->params, k), lstm_params_grad(a->params, k));
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

static void every_set_of_kernels_gives_the_same_bits(void **state)
{
    (void)state;
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *c = case_of(i, LSTM_BFLOAT16);
        layer_case_run(c);
        uint64_t part = layer_case_hash(c);
        hash = hash_bytes(hash, &part, sizeof(part));
        layer_case_destroy(c);
    }
    if (hash != 0x9a3c2441d128ab98u)
        fail_msg("hash is 0x%016llx", (unsigned long long)hash);
}

/* h is rounded again after dropout. An odd number of sequences is active in some steps:
 * what the memory held before must not reach the sums over pairs of sequences. */
static void dropout_of_an_odd_batch_has_the_same_bits_in_any_memory(void **state)
{
    (void)state;
    static const size_t lengths[] = {5, 1, 4, 4, 2};
    const layer_options options = {
        .config = {.inputs = 5,
                   .hidden = 21,
                   .layers = 2,
                   .dropout = 0.3,
                   .bidirectional = true,
                   .precision = LSTM_BFLOAT16},
        .steps = 5,
        .batch = 5,
        .lengths = lengths,
        .seed = 4,
        .dout = true,
    };
    for (int garbage = 0; garbage <= 0xff; garbage += 0xff) {
        layer_case *c = layer_case_create(&options);
        size_t size = lstm_layer_workspace_size(c->layer, true, 5, 5);
        void *memory = aligned_alloc(64, size);
        memset(memory, garbage, size);
        assert_int_equal(lstm_layer_set_workspace(c->layer, NULL, memory, size),
                         LSTM_OK);
        layer_case_run(c);
        uint64_t hash = layer_case_hash(c);
        if (hash != 0x1f9b7674f3fe8881u)
            fail_msg("hash is 0x%016llx", (unsigned long long)hash);
        layer_case_destroy(c);
        free(memory);
    }
}

/* An evaluation runs in windows of steps and keeps no activations. */
static void evaluation_gives_the_outputs_of_training(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_BFLOAT16), *b = case_of(i, LSTM_BFLOAT16);
        assert_int_equal(lstm_layer_set_training(b->layer, false), LSTM_OK);
        assert_int_equal(layer_case_forward(a), LSTM_OK);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_same_bits(a->out, b->out);
        assert_same_bits(a->hn, b->hn);
        assert_same_bits(a->cn, b->cn);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

/* Where they use other tables, the panels are packed again at each switch. */
static void training_and_evaluation_in_turn_give_the_same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_BFLOAT16), *b = case_of(i, LSTM_BFLOAT16);
        layer_case_run(a);
        for (int turn = 0; turn < 2; turn++) {
            assert_int_equal(lstm_layer_set_training(b->layer, false), LSTM_OK);
            assert_int_equal(layer_case_forward(b), LSTM_OK);
            assert_same_bits(a->out, b->out);
            assert_int_equal(lstm_layer_set_training(b->layer, true), LSTM_OK);
            /* A forward with a tape does not pack weights that have not changed. */
            lstm_tape *tape;
            assert_int_equal(lstm_tape_create(&tape, b->layer, b->rng), LSTM_OK);
            assert_int_equal(lstm_params_zero_grad(b->params), LSTM_OK);
            assert_int_equal(layer_case_forward_tape(b, tape), LSTM_OK);
            assert_int_equal(layer_case_backward_tape(b, tape), LSTM_OK);
            assert_true(layer_case_hash(a) == layer_case_hash(b));
            lstm_tape_destroy(&tape);
        }
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(config_keeps_the_precision_and_refuses_an_unknown_one),
        TEST(parameters_are_float32_and_the_same_as_without),
        TEST(outputs_and_gradients_are_near_those_of_float32),
        TEST(every_set_of_kernels_gives_the_same_bits),
        TEST(dropout_of_an_odd_batch_has_the_same_bits_in_any_memory),
        TEST(evaluation_gives_the_outputs_of_training),
        TEST(training_and_evaluation_in_turn_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
