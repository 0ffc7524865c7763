/* Tapes: several pending forwards of one layer, in one thread and in several. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "tests/support/layer_case.h"
#include "tests/support/test.h"

enum { TAPES = 3, DROPOUT_CASES = 2 * LAYER_CASE_SPREAD };

/* A shared layer with a tape for each of some batches, and the same batches in separate
 * layers. */
typedef struct fixture {
    layer_case *shared, *batches[TAPES], *alone[TAPES];
    lstm_layer *spare[TAPES];
    lstm_rng *rngs[TAPES];
    lstm_tape *tapes[TAPES];
    size_t lengths[LAYER_CASE_MAX_BATCH];
} fixture;

static void copy_weights(const layer_case *from, layer_case *to)
{
    for (size_t i = 0; i < lstm_params_size(from->params); i++)
        assert_int_equal(lstm_tensor_copy(lstm_params_value(to->params, i),
                                          lstm_params_value(from->params, i)),
                         LSTM_OK);
}

/* Batch number k: its tensors, a generator that continues as its layer's does, and a
 * tape of the shared layer. */
static void create_batch(fixture *f, const layer_options *options, size_t k)
{
    layer_options own = *options;
    own.seed = options->seed + 1 + k;
    uint8_t state[LSTM_RNG_STATE_SIZE];
    f->alone[k] = layer_case_create(&own);
    f->batches[k] = layer_case_create(&own);
    copy_weights(f->shared, f->alone[k]);
    assert_int_equal(lstm_rng_get_state(f->alone[k]->rng, state), LSTM_OK);
    assert_int_equal(lstm_rng_create(&f->rngs[k], 0), LSTM_OK);
    assert_int_equal(lstm_rng_set_state(f->rngs[k], state), LSTM_OK);
    assert_int_equal(lstm_tape_create(&f->tapes[k], f->shared->layer, f->rngs[k]),
                     LSTM_OK);
    f->spare[k] = f->batches[k]->layer;
    f->batches[k]->layer = f->shared->layer;
}

/* The cases of the spread, twice; the second half has dropout and lengths. */
static fixture *create_fixture(size_t i)
{
    fixture *f = calloc(1, sizeof(*f));
    layer_options options = layer_case_options(i % LAYER_CASE_SPREAD, 100 + 10 * i);
    if (i >= LAYER_CASE_SPREAD) {
        options.config.dropout = 0.3;
        for (size_t n = 0; n < options.batch; n++)
            f->lengths[n] = 1 + (n * 7 + i) % options.steps;
        options.lengths = f->lengths;
    }
    f->shared = layer_case_create(&options);
    for (size_t k = 0; k < TAPES; k++)
        create_batch(f, &options, k);
    return f;
}

static void destroy_fixture(fixture *f)
{
    for (size_t k = 0; k < TAPES; k++) {
        lstm_tape_destroy(&f->tapes[k]);
        assert_null(f->tapes[k]);
        lstm_rng_destroy(&f->rngs[k]);
        f->batches[k]->layer = f->spare[k];
        layer_case_destroy(f->batches[k]);
        layer_case_destroy(f->alone[k]);
    }
    layer_case_destroy(f->shared);
    free(f);
}

typedef struct forward_job {
    layer_case *batch;
    lstm_tape *tape;
    lstm_status status;
} forward_job;

static void *run_forward(void *user)
{
    forward_job *job = user;
    job->status = layer_case_forward_tape(job->batch, job->tape);
    return NULL;
}

static void forward_in_threads(fixture *f)
{
    pthread_t threads[TAPES];
    forward_job jobs[TAPES];
    for (size_t k = 0; k < TAPES; k++) {
        jobs[k] = (forward_job){f->batches[k], f->tapes[k], LSTM_INVALID_STATE};
        assert_int_equal(pthread_create(&threads[k], NULL, run_forward, &jobs[k]), 0);
    }
    for (size_t k = 0; k < TAPES; k++) {
        pthread_join(threads[k], NULL);
        assert_int_equal(jobs[k].status, LSTM_OK);
    }
}

/* The results of the batch, and the gradients of the shared layer, equal those of the
 * batch in a separate layer. */
static void assert_same_results(const fixture *f, size_t k)
{
    const layer_case *a = f->batches[k], *b = f->alone[k];
    assert_same_bits(a->out, b->out);
    assert_same_bits(a->hn, b->hn);
    assert_same_bits(a->cn, b->cn);
    assert_same_bits(a->dx, b->dx);
    assert_same_bits(a->dh0, b->dh0);
    assert_same_bits(a->dc0, b->dc0);
    for (size_t i = 0; i < lstm_params_size(b->params); i++)
        assert_same_bits(lstm_params_grad(f->shared->params, i),
                         lstm_params_grad(b->params, i));
}

static void tapes_in_threads_give_the_gradients_of_separate_layers(void **state)
{
    (void)state;
    static const size_t order[TAPES] = {1, 2, 0};
    for (size_t i = 0; i < DROPOUT_CASES; i++) {
        fixture *f = create_fixture(i);
        for (size_t k = 0; k < TAPES; k++)
            layer_case_run(f->alone[k]);
        /* Without this the first forward packs. */
        if (i % 2)
            assert_int_equal(lstm_layer_pack(f->shared->layer), LSTM_OK);
        forward_in_threads(f);
        for (size_t k = 0; k < TAPES; k++) {
            layer_case *batch = f->batches[order[k]];
            assert_int_equal(lstm_params_zero_grad(f->shared->params), LSTM_OK);
            assert_int_equal(layer_case_backward_tape(batch, f->tapes[order[k]]),
                             LSTM_OK);
            assert_same_results(f, order[k]);
        }
        destroy_fixture(f);
    }
}

static void a_forward_replaces_the_pending_one_of_its_tape(void **state)
{
    (void)state;
    fixture *f = create_fixture(3);
    layer_case_run(f->alone[1]);
    lstm_tape *tape = f->tapes[0];
    assert_int_equal(layer_case_forward_tape(f->batches[0], tape), LSTM_OK);
    assert_int_equal(layer_case_forward_tape(f->batches[2], NULL), LSTM_OK);
    assert_int_equal(layer_case_forward_tape(f->batches[1], tape), LSTM_OK);
    assert_int_equal(layer_case_backward_tape(f->batches[1], tape), LSTM_OK);
    assert_same_results(f, 1);
    assert_int_equal(layer_case_backward_tape(f->batches[1], tape), LSTM_INVALID_STATE);
    assert_contains(lstm_last_error(), "no pending forward");
    assert_int_equal(layer_case_backward_tape(f->batches[2], NULL), LSTM_OK);
    destroy_fixture(f);
}

/* Steps of 1 to T share a tape: its memory is laid out for each. */
static void a_tape_takes_batches_of_any_shape(void **state)
{
    (void)state;
    fixture *f = create_fixture(0);
    size_t steps = lstm_tensor_extent(f->batches[0]->x, 0);
    for (size_t t = 1; t <= steps; t++) {
        lstm_tensor *x, *out;
        layer_case *batch = f->batches[0], *alone = f->alone[0];
        assert_int_equal(lstm_tensor_narrow(&x, batch->x, 0, 0, t), LSTM_OK);
        assert_int_equal(lstm_tensor_narrow(&out, batch->out, 0, 0, t), LSTM_OK);
        assert_int_equal(lstm_layer_forward(batch->layer, f->tapes[0], x, NULL, NULL,
                                            NULL, out, NULL, NULL),
                         LSTM_OK);
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&out);
        assert_int_equal(lstm_layer_forward(alone->layer, NULL, batch->x, NULL, NULL,
                                            NULL, alone->out, NULL, NULL),
                         LSTM_OK);
        size_t bytes = t * lstm_tensor_stride(batch->out, 0) * sizeof(float);
        assert_memory_equal(lstm_tensor_data(batch->out), lstm_tensor_data(alone->out),
                            bytes);
    }
    destroy_fixture(f);
}

static void a_tape_of_another_layer_is_refused(void **state)
{
    (void)state;
    fixture *f = create_fixture(0);
    layer_case *other = f->alone[0];
    lstm_tensor *gates = layer_case_tensor(6, 3, 28);
    assert_int_equal(layer_case_forward_tape(other, f->tapes[0]),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "tape belongs to another layer");
    assert_int_equal(layer_case_backward_tape(other, f->tapes[0]),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_gates(other->layer, f->tapes[0], 0, 0, gates),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_set_workspace(other->layer, f->tapes[0], NULL, 0),
                     LSTM_INVALID_ARGUMENT);
    lstm_tensor_destroy(&gates);
    destroy_fixture(f);
}

static void creating_a_tape_needs_a_layer_and_a_generator_for_dropout(void **state)
{
    (void)state;
    fixture *f = create_fixture(LAYER_CASE_SPREAD + 1);
    lstm_tape *tape = f->tapes[0];
    assert_int_equal(lstm_tape_create(NULL, f->shared->layer, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tape_create(&tape, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_null(tape);
    assert_int_equal(lstm_tape_create(&tape, f->shared->layer, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "rng is NULL, but the layer has dropout 0.3");
    lstm_tape_destroy(&tape);
    lstm_tape_destroy(NULL);
    assert_int_equal(lstm_layer_pack(NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_output_size(NULL), 0);
    destroy_fixture(f);
}

/* Calls that change weights, or that announce changed weights. */
static void step(layer_case *c)
{
    lstm_adam *adam;
    assert_int_equal(lstm_adam_create(&adam, c->params, NULL), LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    lstm_adam_destroy(&adam);
}

static void set_weights(layer_case *c)
{
    enum { I = 5, H = 7 };
    const float input[4 * H * I] = {0}, recurrent[4 * H * H] = {0};
    assert_int_equal(lstm_layer_set_weights(c->layer, 0, 0, LSTM_LAYOUT_PYTORCH, input,
                                            recurrent, NULL, NULL),
                     LSTM_OK);
}

static void pack(layer_case *c)
{
    assert_int_equal(lstm_layer_pack(c->layer), LSTM_OK);
}

static void evaluate(layer_case *c)
{
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(c->layer, true), LSTM_OK);
}

static void pending_forwards_of_other_weights_are_refused(void **state)
{
    (void)state;
    static void (*const changes[])(layer_case *) = {step, set_weights, pack, evaluate};
    fixture *f = create_fixture(0);
    layer_case *batch = f->batches[0];
    lstm_tensor *gates = layer_case_tensor(6, 3, 28);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        for (size_t own = 0; own < 2; own++) {
            lstm_tape *tape = own ? NULL : f->tapes[0];
            assert_int_equal(layer_case_forward_tape(batch, tape), LSTM_OK);
            assert_int_equal(lstm_params_zero_grad(f->shared->params), LSTM_OK);
            changes[i](f->shared);
            assert_int_equal(lstm_layer_gates(f->shared->layer, tape, 0, 0, gates),
                             LSTM_INVALID_STATE);
            assert_int_equal(layer_case_backward_tape(batch, tape), LSTM_INVALID_STATE);
            if (changes[i] != evaluate || !own)
                assert_contains(lstm_last_error(), "weights have changed since");
            assert_true(lstm_tensor_data(lstm_params_grad(f->shared->params, 0))[0] ==
                        0);
            assert_int_equal(layer_case_forward_tape(batch, tape), LSTM_OK);
            assert_int_equal(layer_case_backward_tape(batch, tape), LSTM_OK);
        }
    lstm_tensor_destroy(&gates);
    destroy_fixture(f);
}

/* A forward with a tape reads weights that Adam changed, and those that the caller
 * wrote after lstm_layer_pack(). */
static void changed_weights_are_packed_again(void **state)
{
    (void)state;
    fixture *f = create_fixture(1);
    layer_case *batch = f->batches[0], *alone = f->alone[0];
    for (size_t i = 0; i < 2; i++) {
        layer_case_run(alone);
        assert_int_equal(layer_case_forward_tape(batch, f->tapes[0]), LSTM_OK);
        assert_int_equal(lstm_params_zero_grad(f->shared->params), LSTM_OK);
        assert_int_equal(layer_case_backward_tape(batch, f->tapes[0]), LSTM_OK);
        assert_same_results(f, 0);
        step(f->shared);
        if (i == 0) {
            lstm_tensor_data(lstm_params_value(f->shared->params, 0))[3] = 2;
            pack(f->shared);
        }
        copy_weights(f->shared, alone);
    }
    layer_case_run(alone);
    assert_int_equal(layer_case_forward_tape(batch, f->tapes[0]), LSTM_OK);
    assert_same_bits(batch->out, alone->out);
    destroy_fixture(f);
}

static void evaluation_keeps_nothing_and_gives_the_same_outputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        fixture *f = create_fixture(i);
        layer_case *batch = f->batches[0], *alone = f->alone[0];
        assert_int_equal(layer_case_forward_tape(batch, f->tapes[0]), LSTM_OK);
        assert_int_equal(lstm_layer_set_training(f->shared->layer, false), LSTM_OK);
        assert_int_equal(lstm_layer_set_training(alone->layer, false), LSTM_OK);
        assert_int_equal(layer_case_forward(alone), LSTM_OK);
        forward_in_threads(f);
        assert_same_bits(batch->out, alone->out);
        assert_same_bits(batch->hn, alone->hn);
        assert_same_bits(batch->cn, alone->cn);
        assert_int_equal(layer_case_backward_tape(batch, f->tapes[0]),
                         LSTM_INVALID_STATE);
        assert_contains(lstm_last_error(), "no pending forward");
        destroy_fixture(f);
    }
}

/* Gates ------------------------------------------------------------------------------
 */

static double *all_parameters(const layer_case *c)
{
    double *parameters = malloc(lstm_params_count(c->params) * sizeof(double));
    size_t count = 0;
    for (size_t i = 0; i < lstm_params_size(c->params); i++) {
        lstm_tensor *value = lstm_params_value(c->params, i);
        for (size_t k = 0; k < lstm_tensor_count(value); k++)
            parameters[count++] = (double)lstm_tensor_data(value)[k];
    }
    return parameters;
}

/* [L*D, T, N, 4H] of a case without dropout. */
static double *expected_gates(const layer_case *c)
{
    const layer_options *o = &c->options;
    reference_lstm net = layer_case_net(c);
    double *parameters = all_parameters(c);
    double *x = layer_case_doubles(c->x, o->config.batch_first);
    double *h0 = layer_case_doubles(c->h0, false);
    double *c0 = layer_case_doubles(c->c0, false);
    size_t rows = net.layers * net.directions * o->batch, state = o->steps * rows;
    double *gates = calloc(state * 4 * net.hidden, sizeof(double));
    double *out = malloc(state * net.hidden * sizeof(double));
    double *hn = malloc(rows * net.hidden * sizeof(double));
    double *cn = malloc(rows * net.hidden * sizeof(double));
    net.parameters = parameters;
    reference_input input = {.steps = o->steps,
                             .batch = o->batch,
                             .lengths = o->lengths,
                             .x = x,
                             .h0 = h0,
                             .c0 = c0,
                             .gates = gates};
    reference_forward(&net, &input, out, hn, cn);
    double *memory[] = {parameters, x, h0, c0, out, hn, cn};
    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
        free(memory[i]);
    return gates;
}

static void assert_gates(const layer_case *c, lstm_tape *tape, size_t index,
                         size_t direction, const double *expected)
{
    const layer_options *o = &c->options;
    bool first = o->config.batch_first;
    size_t width = 4 * o->config.hidden;
    lstm_tensor *gates = layer_case_tensor(first ? o->batch : o->steps,
                                           first ? o->steps : o->batch, width);
    assert_int_equal(lstm_tensor_fill(gates, 7), LSTM_OK);
    assert_int_equal(lstm_layer_gates(c->layer, tape, index, direction, gates),
                     LSTM_OK);
    double *actual = layer_case_doubles(gates, first);
    double bound =
        o->config.precision == LSTM_BFLOAT16 ? 0.02 : layer_case_tolerance(o);
    for (size_t i = 0; i < o->steps * o->batch * width; i++)
        assert_true(fabs(actual[i] - expected[i]) <= bound);
    free(actual);
    lstm_tensor_destroy(&gates);
}

static void gates_equal_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * LAYER_CASE_SPREAD; i++) {
        layer_options options = layer_case_options(i % LAYER_CASE_SPREAD, 40 + i);
        size_t lengths[LAYER_CASE_MAX_BATCH];
        for (size_t n = 0; n < options.batch; n++)
            lengths[n] = 1 + (n * 5 + i) % options.steps;
        options.lengths = i < LAYER_CASE_SPREAD ? NULL : lengths;
        layer_case *c = layer_case_create(&options);
        lstm_tape *tape;
        assert_int_equal(lstm_tape_create(&tape, c->layer, NULL), LSTM_OK);
        double *expected = expected_gates(c), *at = expected;
        assert_int_equal(layer_case_forward(c), LSTM_OK);
        assert_int_equal(layer_case_forward_tape(c, tape), LSTM_OK);
        reference_lstm net = layer_case_net(c);
        for (size_t k = 0; k < net.layers * net.directions; k++) {
            lstm_tape *from = k % 2 ? tape : NULL;
            assert_gates(c, from, k / net.directions, k % net.directions, at);
            at += options.steps * options.batch * 4 * net.hidden;
        }
        free(expected);
        lstm_tape_destroy(&tape);
        layer_case_destroy(c);
    }
}

static void gates_out_of_range_or_not_pending_are_refused(void **state)
{
    (void)state;
    fixture *f = create_fixture(0);
    lstm_layer *layer = f->shared->layer;
    lstm_tape *tape = f->tapes[0];
    lstm_tensor *gates = layer_case_tensor(6, 3, 28), *wide;
    wide = layer_case_tensor(6, 3, 29);
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 0, gates), LSTM_INVALID_STATE);
    assert_int_equal(layer_case_forward_tape(f->batches[0], tape), LSTM_OK);
    assert_int_equal(lstm_layer_gates(layer, NULL, 0, 0, gates), LSTM_INVALID_STATE);
    assert_int_equal(lstm_layer_gates(NULL, tape, 0, 0, gates), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 0, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_gates(layer, tape, 1, 0, gates), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "index is 1, expected 0 to 0");
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 1, gates), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "direction is 1, expected 0 to 0");
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 0, wide), LSTM_SHAPE_MISMATCH);
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 0, gates), LSTM_OK);
    assert_int_equal(layer_case_backward_tape(f->batches[0], tape), LSTM_OK);
    assert_int_equal(lstm_layer_gates(layer, tape, 0, 0, gates), LSTM_INVALID_STATE);
    lstm_tensor_destroy(&gates);
    lstm_tensor_destroy(&wide);
    destroy_fixture(f);
}

static void the_output_size_is_directions_times_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *c = layer_case_spread(i, 1);
        assert_int_equal(lstm_layer_output_size(c->layer),
                         lstm_tensor_extent(c->out, 2));
        layer_case_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tapes_in_threads_give_the_gradients_of_separate_layers),
        TEST(a_forward_replaces_the_pending_one_of_its_tape),
        TEST(a_tape_takes_batches_of_any_shape),
        TEST(a_tape_of_another_layer_is_refused),
        TEST(creating_a_tape_needs_a_layer_and_a_generator_for_dropout),
        TEST(pending_forwards_of_other_weights_are_refused),
        TEST(changed_weights_are_packed_again),
        TEST(evaluation_keeps_nothing_and_gives_the_same_outputs),
        TEST(gates_equal_the_reference),
        TEST(gates_out_of_range_or_not_pending_are_refused),
        TEST(the_output_size_is_directions_times_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
