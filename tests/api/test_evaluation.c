/* Evaluation: the same bits as training, no dropout, and when it reads weights. */
#include "tests/support/draw.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

static layer_case *evaluating(size_t i, uint64_t seed)
{
    layer_case *c = layer_case_spread(i, seed);
    if (c)
        assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    return c;
}

static void assert_same_outputs(const layer_case *a, const layer_case *b)
{
    assert_same_bits(a->out, b->out);
    assert_same_bits(a->hn, b->hn);
    assert_same_bits(a->cn, b->cn);
}

static void training_and_evaluation_give_the_same_bits(void **state)
{
    (void)state;
    layer_case *a, *b;
    for (size_t i = 0; (a = layer_case_spread(i, 1)); i++) {
        b = evaluating(i, 1);
        assert_int_equal(layer_case_forward(a), LSTM_OK);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_same_outputs(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

static void with_lengths_they_give_the_same_bits(void **state)
{
    (void)state;
    layer_case *a, *b;
    for (size_t i = 0; (a = layer_case_spread(i, 2)); i++) {
        size_t lengths[LAYER_CASE_MAX_BATCH];
        uint64_t seed = i;
        for (size_t n = 0; n < a->options.batch; n++)
            lengths[n] = draw_size(&seed, 1, a->options.steps);
        b = evaluating(i, 2);
        a->options.lengths = b->options.lengths = lengths;
        assert_int_equal(layer_case_forward(a), LSTM_OK);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_same_outputs(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

/* A case of one sequence: all sizes of a block and of a window, all options. */
static layer_case *one_sequence(size_t i, bool training)
{
    uint64_t seed = i;
    layer_options options = {.batch = 1, .steps = draw_size(&seed, 1, 40), .seed = i};
    options.config.inputs = draw_size(&seed, 1, 40);
    options.config.hidden = draw_size(&seed, 1, 5) * (i % 3 ? 16 : 13);
    options.config.layers = 1 + i % 3;
    options.config.bidirectional = i % 5 == 0;
    options.config.proj_size = i % 4 == 0 ? 1 + i % 9 : 0;
    options.config.no_bias = i % 7 == 0;
    options.h0 = i % 2;
    options.c0 = i % 3 == 0;
    layer_case *c = layer_case_create(&options);
    assert_int_equal(lstm_layer_set_training(c->layer, training), LSTM_OK);
    return c;
}

static void one_sequence_has_the_bits_of_training_with_any_threads(void **state)
{
    (void)state;
    enum { CASES = 60 };
    for (size_t i = 0; i < CASES; i++) {
        layer_case *a = one_sequence(i, true), *b = one_sequence(i, false);
        uint64_t seed = i;
        size_t length = draw_size(&seed, 1, a->options.steps);
        a->options.lengths = b->options.lengths = i % 4 == 1 ? &length : NULL;
        assert_int_equal(lstm_set_threads(1 + i % 3), LSTM_OK);
        assert_int_equal(layer_case_forward(a), LSTM_OK);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_same_outputs(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

/* Threads divide the units of a sequence if each has enough of them. */
static void threads_divide_one_sequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        layer_options options = {.batch = 1, .steps = 30, .seed = i, .h0 = i % 2 == 0};
        options.config.inputs = 40;
        options.config.hidden = 208;
        options.config.layers = 2;
        options.config.proj_size = i < 4 ? 70 : 0;
        options.config.bidirectional = i % 4 == 3;
        layer_case *a = layer_case_create(&options), *b = layer_case_create(&options);
        assert_int_equal(lstm_layer_set_training(b->layer, false), LSTM_OK);
        assert_int_equal(lstm_set_threads(1), LSTM_OK);
        assert_int_equal(layer_case_forward(a), LSTM_OK);
        assert_int_equal(lstm_set_threads(2 + i % 2), LSTM_OK);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_same_outputs(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

static void dropout_applies_in_training_only(void **state)
{
    (void)state;
    layer_options options = layer_case_options(1, 3);
    layer_case *plain = layer_case_create(&options);
    options.config.dropout = 0.5;
    layer_case *c = layer_case_create(&options);
    assert_int_equal(layer_case_forward(plain), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_memory_not_equal(lstm_tensor_data(c->out), lstm_tensor_data(plain->out),
                            lstm_tensor_count(c->out) * sizeof(float));
    uint64_t next = lstm_rng_next(c->rng);
    assert_int_equal(lstm_rng_set_state(c->rng, c->rng_state), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_same_outputs(c, plain);
    /* Evaluation draws nothing: the generator is in the state before the masks. */
    uint8_t state_after[LSTM_RNG_STATE_SIZE];
    assert_int_equal(lstm_rng_get_state(c->rng, state_after), LSTM_OK);
    assert_memory_equal(state_after, c->rng_state, LSTM_RNG_STATE_SIZE);
    assert_true(lstm_rng_next(c->rng) != next);
    layer_case_destroy(plain);
    layer_case_destroy(c);
}

/* The results of a new layer with the weights of c. */
static layer_case *fresh_copy(const layer_case *c)
{
    layer_case *fresh = layer_case_create(&c->options);
    for (size_t k = 0; k < lstm_params_size(c->params); k++)
        assert_int_equal(lstm_tensor_copy(lstm_params_value(fresh->params, k),
                                          lstm_params_value(c->params, k)),
                         LSTM_OK);
    assert_int_equal(layer_case_forward(fresh), LSTM_OK);
    return fresh;
}

static void change_weights(layer_case *c)
{
    for (size_t k = 0; k < lstm_params_size(c->params); k++) {
        lstm_tensor *value = lstm_params_value(c->params, k);
        for (size_t i = 0; i < lstm_tensor_count(value); i++)
            lstm_tensor_data(value)[i] *= 0.5f;
    }
}

static void training_reads_weights_at_every_forward(void **state)
{
    (void)state;
    layer_case *c = layer_case_spread(1, 4);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    change_weights(c);
    layer_case *fresh = fresh_copy(c);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_same_outputs(c, fresh);
    layer_case_destroy(fresh);
    layer_case_destroy(c);
}

static void evaluation_reads_weights_on_request(void **state)
{
    (void)state;
    layer_case *c = evaluating(1, 5);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    change_weights(c);
    layer_case *fresh = fresh_copy(c);
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_same_outputs(c, fresh);
    layer_case_destroy(fresh);
    layer_case_destroy(c);
}

static void evaluation_uses_weights_that_adam_changed(void **state)
{
    (void)state;
    layer_case *c = layer_case_spread(1, 6);
    lstm_adam *adam;
    assert_int_equal(lstm_adam_create(&adam, c->params, NULL), LSTM_OK);
    layer_case_run(c);
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    layer_case *fresh = fresh_copy(c);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_same_outputs(c, fresh);
    lstm_adam_destroy(&adam);
    layer_case_destroy(fresh);
    layer_case_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(training_and_evaluation_give_the_same_bits),
        TEST(with_lengths_they_give_the_same_bits),
        TEST(one_sequence_has_the_bits_of_training_with_any_threads),
        TEST(threads_divide_one_sequence),
        TEST(dropout_applies_in_training_only),
        TEST(training_reads_weights_at_every_forward),
        TEST(evaluation_reads_weights_on_request),
        TEST(evaluation_uses_weights_that_adam_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
