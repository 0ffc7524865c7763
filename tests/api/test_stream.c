/* Streams give the bits of the layer's forward, for any blocks and threads. */
#include <pthread.h>

#include <lstm/lstm.h>

#include "tests/support/draw.h"
#include "tests/support/precision.h"
#include "tests/support/test.h"

enum { STEPS = 37, OUTPUTS = 10 };

/* A layer, its forward over STEPS steps, and a head applied to all its outputs. */
typedef struct fixture {
    lstm_layer_config config;
    size_t batch, state;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_tensor *x, *h0, *c0, *out, *hn, *cn, *y;
} fixture;

static lstm_tensor *tensor_of(size_t a, size_t b, size_t c)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 3, (size_t[]){a, b, c}), LSTM_OK);
    return tensor;
}

static lstm_tensor *sequence_of(const fixture *f, size_t steps, size_t channels)
{
    return f->config.batch_first ? tensor_of(f->batch, steps, channels)
                                 : tensor_of(steps, f->batch, channels);
}

static void run_forward(fixture *f, bool states)
{
    assert_int_equal(lstm_layer_forward(f->layer, NULL, f->x, NULL,
                                        states ? f->h0 : NULL, states ? f->c0 : NULL,
                                        f->out, f->hn, f->cn),
                     LSTM_OK);
    assert_int_equal(lstm_linear_forward(f->head, f->out, f->y), LSTM_OK);
}

static fixture create_fixture(lstm_layer_config config, size_t batch)
{
    fixture f = {.config = config, .batch = batch};
    lstm_rng *rng;
    f.config.precision = config.precision = test_precision();
    f.state = config.proj_size ? config.proj_size : config.hidden;
    assert_int_equal(lstm_rng_create(&rng, 11), LSTM_OK);
    assert_int_equal(lstm_layer_create(&f.layer, &config, rng), LSTM_OK);
    lstm_linear_config head = {
        .inputs = f.state, .outputs = OUTPUTS, .no_bias = config.no_bias};
    assert_int_equal(lstm_linear_create(&f.head, &head, rng), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
    size_t layers = config.layers ? config.layers : 1;
    f.x = sequence_of(&f, STEPS, config.inputs);
    f.out = sequence_of(&f, STEPS, f.state);
    f.y = sequence_of(&f, STEPS, OUTPUTS);
    f.h0 = tensor_of(layers, batch, f.state);
    f.hn = tensor_of(layers, batch, f.state);
    f.c0 = tensor_of(layers, batch, config.hidden);
    f.cn = tensor_of(layers, batch, config.hidden);
    assert_int_equal(lstm_rng_uniform(rng, f.x, -2, 2), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, f.h0, -1, 1), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, f.c0, -1, 1), LSTM_OK);
    lstm_rng_destroy(&rng);
    run_forward(&f, false);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_tensor **tensors[] = {&f->x, &f->h0, &f->c0, &f->out, &f->hn, &f->cn, &f->y};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_linear_destroy(&f->head);
    lstm_layer_destroy(&f->layer);
}

static lstm_stream *stream_of(const fixture *f, bool head)
{
    lstm_stream *stream;
    assert_int_equal(
        lstm_stream_create(&stream, f->layer, head ? f->head : NULL, f->batch),
        LSTM_OK);
    return stream;
}

static void assert_same(const lstm_tensor *a, const lstm_tensor *b)
{
    assert_memory_equal(lstm_tensor_data(a), lstm_tensor_data(b),
                        lstm_tensor_count(a) * sizeof(float));
}

/* Runs a range of steps through a stream, into the same range of y. */
static void step_range(const fixture *f, lstm_stream *stream, lstm_tensor *y,
                       size_t start, size_t count)
{
    size_t axis = f->config.batch_first ? 1 : 0;
    lstm_tensor *from, *to;
    assert_int_equal(lstm_tensor_narrow(&from, f->x, axis, start, count), LSTM_OK);
    assert_int_equal(lstm_tensor_narrow(&to, y, axis, start, count), LSTM_OK);
    assert_int_equal(lstm_stream_step(stream, from, to), LSTM_OK);
    lstm_tensor_destroy(&from);
    lstm_tensor_destroy(&to);
}

/* Runs the whole sequence in blocks of random lengths from a seed. */
static void assert_stream_equals(const fixture *f, lstm_stream *stream, bool head,
                                 uint64_t seed)
{
    const lstm_tensor *expected = head ? f->y : f->out;
    lstm_tensor *y = sequence_of(f, STEPS, head ? OUTPUTS : f->state);
    for (size_t start = 0, count; start < STEPS; start += count) {
        count = draw_size(&seed, 1, 20);
        count = count < STEPS - start ? count : STEPS - start;
        step_range(f, stream, y, start, count);
    }
    assert_same(y, expected);
    size_t layers = lstm_tensor_extent(f->hn, 0);
    lstm_tensor *h = tensor_of(layers, f->batch, f->state);
    lstm_tensor *c = tensor_of(layers, f->batch, f->config.hidden);
    assert_int_equal(lstm_stream_get_state(stream, h, c), LSTM_OK);
    assert_same(h, f->hn);
    assert_same(c, f->cn);
    lstm_tensor_destroy(&h);
    lstm_tensor_destroy(&c);
    lstm_tensor_destroy(&y);
}

static const lstm_layer_config configs[] = {
    {.inputs = 28, .hidden = 128, .layers = 2, .batch_first = true},
    {.inputs = 1, .hidden = 1},
    {.inputs = 3, .hidden = 50, .layers = 3},
    {.inputs = 17, .hidden = 33, .no_bias = true, .batch_first = true},
    {.inputs = 5, .hidden = 40, .layers = 2, .proj_size = 19},
};
enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };
static const size_t batches[] = {1, 2, 16, 19, 33};
enum { BATCHES = sizeof(batches) / sizeof(batches[0]) };

static void any_split_gives_the_bits_of_the_forward(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++)
        for (size_t j = 0; j < BATCHES; j++) {
            fixture f = create_fixture(configs[i], batches[j]);
            for (int head = 0; head < 2; head++) {
                lstm_stream *stream = stream_of(&f, head);
                assert_stream_equals(&f, stream, head, i + j);
                assert_int_equal(lstm_stream_reset(stream, NULL), LSTM_OK);
                assert_stream_equals(&f, stream, head, i + j + 7);
                lstm_stream_destroy(&stream);
            }
            destroy_fixture(&f);
        }
}

static void set_states_continue_the_forward(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++) {
        fixture f = create_fixture(configs[i], i % 2 ? 1 : 18);
        run_forward(&f, true);
        lstm_stream *stream = stream_of(&f, true);
        assert_int_equal(lstm_stream_set_state(stream, f.h0, f.c0), LSTM_OK);
        assert_stream_equals(&f, stream, true, i);
        lstm_stream_destroy(&stream);
        destroy_fixture(&f);
    }
}

/* Without a previous step h and c are not used: not even weights that make 0 a number
 * that is not finite change the first step. */
static void a_reset_stream_is_a_new_stream(void **state)
{
    (void)state;
    fixture f = create_fixture((lstm_layer_config){.inputs = 3, .hidden = 5}, 2);
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", f.layer), LSTM_OK);
    /* int8 has no infinity. */
    if (test_precision() != LSTM_INT8)
        lstm_tensor_fill(lstm_params_value(params, 1), INFINITY);
    for (size_t i = 0; i < 5; i++)
        lstm_tensor_data(lstm_params_value(params, 2))[5 + i] = NAN;
    assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
    lstm_stream *stream = stream_of(&f, false);
    lstm_tensor *first = sequence_of(&f, STEPS, 5), *again = sequence_of(&f, STEPS, 5);
    lstm_tensor_fill(first, 0);
    lstm_tensor_fill(again, 0);
    step_range(&f, stream, first, 0, 1);
    assert_int_equal(lstm_stream_reset(stream, NULL), LSTM_OK);
    step_range(&f, stream, again, 0, 1);
    for (size_t i = 0; i < 10; i++)
        assert_true(isfinite(lstm_tensor_data(first)[i]));
    assert_same(first, again);
    lstm_tensor_destroy(&first);
    lstm_tensor_destroy(&again);
    lstm_stream_destroy(&stream);
    lstm_params_destroy(&params);
    destroy_fixture(&f);
}

static void one_row_can_start_again(void **state)
{
    (void)state;
    fixture f = create_fixture(configs[0], 3);
    lstm_stream *stream = stream_of(&f, true);
    lstm_tensor *y = sequence_of(&f, STEPS, OUTPUTS);
    step_range(&f, stream, y, 0, 1);
    assert_int_equal(lstm_stream_reset(stream, (bool[]){false, true, false}), LSTM_OK);
    step_range(&f, stream, y, 0, 1);
    lstm_tensor *again, *first;
    assert_int_equal(lstm_tensor_select(&again, y, 1, 0), LSTM_OK);
    assert_int_equal(lstm_tensor_select(&first, f.y, 1, 0), LSTM_OK);
    for (size_t n = 0; n < 3; n++) {
        const float *a = lstm_tensor_data(again) + n * STEPS * OUTPUTS;
        const float *b = lstm_tensor_data(first) + n * STEPS * OUTPUTS;
        assert_int_equal(memcmp(a, b, OUTPUTS * sizeof(*a)) == 0, n == 1);
    }
    lstm_tensor_destroy(&again);
    lstm_tensor_destroy(&first);
    lstm_tensor_destroy(&y);
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

static void one_step_needs_no_time_axis(void **state)
{
    (void)state;
    fixture f = create_fixture(configs[2], 5);
    lstm_stream *stream = stream_of(&f, true);
    lstm_tensor *y = sequence_of(&f, STEPS, OUTPUTS);
    for (size_t step = 0; step < STEPS; step++) {
        lstm_tensor *from, *to;
        assert_int_equal(lstm_tensor_select(&from, f.x, 0, step), LSTM_OK);
        assert_int_equal(lstm_tensor_select(&to, y, 0, step), LSTM_OK);
        assert_int_equal(lstm_stream_step(stream, from, to), LSTM_OK);
        lstm_tensor_destroy(&from);
        lstm_tensor_destroy(&to);
    }
    assert_same(y, f.y);
    lstm_tensor_destroy(&y);
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

static void strides_do_not_matter(void **state)
{
    (void)state;
    fixture f = create_fixture(configs[0], 1);
    lstm_stream *stream = stream_of(&f, true);
    enum { APART = 3 };
    size_t inputs = f.config.inputs, shape[2] = {1, inputs}, out[2] = {1, OUTPUTS};
    float *in = calloc(inputs * APART, sizeof(*in)), result[OUTPUTS * APART] = {0};
    lstm_tensor *x, *y;
    for (size_t i = 0; i < inputs; i++)
        in[i * APART] = lstm_tensor_data(f.x)[i];
    assert_int_equal(lstm_tensor_wrap(&x, in, 2, shape, (ptrdiff_t[]){0, APART}),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&y, result, 2, out, (ptrdiff_t[]){0, APART}),
                     LSTM_OK);
    assert_int_equal(lstm_stream_step(stream, x, y), LSTM_OK);
    for (size_t i = 0; i < OUTPUTS; i++)
        assert_memory_equal(&result[i * APART], &lstm_tensor_data(f.y)[i],
                            sizeof(float));
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
    free(in);
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

typedef struct {
    const fixture *f;
    bool same;
} thread_work;

/* Without assertions: CMocka supports them in the main thread only. */
static void *stream_in_a_thread(void *argument)
{
    thread_work *work = argument;
    const fixture *f = work->f;
    lstm_stream *stream;
    lstm_tensor *y;
    if (lstm_stream_create(&stream, f->layer, f->head, f->batch) ||
        lstm_tensor_create(&y, 3, (size_t[]){f->batch, STEPS, OUTPUTS}))
        return NULL;
    work->same = true;
    for (int i = 0; i < 10; i++) {
        work->same = work->same && lstm_stream_reset(stream, NULL) == LSTM_OK &&
                     lstm_stream_step(stream, f->x, y) == LSTM_OK &&
                     memcmp(lstm_tensor_data(y), lstm_tensor_data(f->y),
                            lstm_tensor_count(y) * sizeof(float)) == 0;
    }
    lstm_tensor_destroy(&y);
    lstm_stream_destroy(&stream);
    return NULL;
}

static void many_threads_stream_one_layer(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    fixture f = create_fixture(configs[0], 1);
    pthread_t threads[THREADS];
    thread_work work[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        work[i] = (thread_work){.f = &f};
        assert_int_equal(
            pthread_create(&threads[i], NULL, stream_in_a_thread, &work[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(work[i].same);
    }
    destroy_fixture(&f);
}

static void a_decaying_state_becomes_zero_not_denormal(void **state)
{
    (void)state;
    lstm_layer *layer;
    lstm_stream *stream;
    /* Zero weights: f is 1/2, so c halves at each step. */
    lstm_layer_config config = {.inputs = 1, .hidden = 3, .batch_first = true};
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    assert_int_equal(lstm_stream_create(&stream, layer, NULL, 1), LSTM_OK);
    lstm_tensor *x = tensor_of(1, 1, 1), *c = tensor_of(1, 1, 3);
    assert_int_equal(lstm_tensor_fill(c, 1), LSTM_OK);
    assert_int_equal(lstm_stream_set_state(stream, NULL, c), LSTM_OK);
    for (int step = 1; step <= 140; step++) {
        lstm_tensor_data(x)[0] = (float)ldexp(1, -step);
        assert_int_equal(lstm_stream_step(stream, x, NULL), LSTM_OK);
        assert_int_equal(lstm_stream_get_state(stream, NULL, c), LSTM_OK);
        float expected = step <= 126 ? (float)ldexp(1, -step) : 0;
        for (size_t i = 0; i < 3; i++)
            assert_memory_equal(&lstm_tensor_data(c)[i], &expected, sizeof(expected));
    }
    /* The floating-point mode of the caller is restored. */
    volatile float smallest = 0x1p-126f;
    assert_true(smallest / 2 > 0);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&c);
    lstm_stream_destroy(&stream);
    lstm_layer_destroy(&layer);
}

static void denormal_inputs_count_as_zeros(void **state)
{
    (void)state;
    /* Without biases the result of zeros is zero. */
    fixture f = create_fixture(configs[3], 1);
    lstm_stream *stream = stream_of(&f, false);
    lstm_tensor *y = sequence_of(&f, STEPS, f.state);
    lstm_tensor *zeros = sequence_of(&f, STEPS, f.state);
    assert_int_equal(lstm_tensor_fill(f.x, 0x1p-127f), LSTM_OK);
    step_range(&f, stream, y, 0, STEPS);
    run_forward(&f, false);
    assert_same(y, zeros);
    assert_same(f.out, zeros);
    assert_int_equal(lstm_tensor_fill(f.x, 0x1p-60f), LSTM_OK);
    step_range(&f, stream, y, 0, STEPS);
    assert_true(fabsf(lstm_tensor_data(y)[0]) > 0x1p-70f);
    lstm_tensor_destroy(&y);
    lstm_tensor_destroy(&zeros);
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

static void assert_refused(lstm_status status, lstm_status expected, const char *text)
{
    assert_int_equal(status, expected);
    assert_contains(lstm_last_error(), text);
}

static void a_layer_that_is_not_ready_is_refused(void **state)
{
    (void)state;
    fixture f = create_fixture(configs[0], 1);
    lstm_stream *stream = stream_of(&f, false), *other;
    const char *cure = "lstm_layer_set_training(layer, false)";
    /* A layer of int8 has no training mode: new weights make it unready. */
    if (test_precision() == LSTM_INT8) {
        float zeros[4 * 128 * 128] = {0};
        assert_int_equal(lstm_layer_set_weights(f.layer, 0, 0, LSTM_LAYOUT_PYTORCH,
                                                zeros, zeros, NULL, NULL),
                         LSTM_OK);
    } else
        assert_int_equal(lstm_layer_set_training(f.layer, true), LSTM_OK);
    assert_refused(lstm_stream_create(&other, f.layer, NULL, 1), LSTM_INVALID_STATE,
                   cure);
    assert_null(other);
    assert_refused(lstm_stream_step(stream, f.x, NULL), LSTM_INVALID_STATE, cure);
    lstm_params *params;
    lstm_adam *adam;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", f.layer), LSTM_OK);
    assert_int_equal(lstm_adam_create(&adam, params, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
    assert_int_equal(lstm_stream_step(stream, f.x, NULL), LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    /* Adam changes no parameter of int8. */
    if (test_precision() == LSTM_INT8)
        assert_int_equal(lstm_stream_step(stream, f.x, NULL), LSTM_OK);
    else
        assert_refused(lstm_stream_step(stream, f.x, NULL), LSTM_INVALID_STATE, cure);
    assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
    assert_int_equal(lstm_stream_step(stream, f.x, NULL), LSTM_OK);
    lstm_adam_destroy(&adam);
    lstm_params_destroy(&params);
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    fixture f = create_fixture(configs[0], 2);
    lstm_stream *stream = (lstm_stream *)&f;
    lstm_linear *head;
    assert_refused(lstm_stream_create(NULL, f.layer, NULL, 1), LSTM_INVALID_ARGUMENT,
                   "stream: out is NULL");
    assert_refused(lstm_stream_create(&stream, NULL, NULL, 1), LSTM_INVALID_ARGUMENT,
                   "stream: layer is NULL");
    assert_null(stream);
    assert_refused(lstm_stream_create(&stream, f.layer, NULL, 0), LSTM_INVALID_ARGUMENT,
                   "batch is 0, expected 1 to");
    assert_int_equal(
        lstm_linear_create(&head, &(lstm_linear_config){.inputs = 127, .outputs = 2},
                           NULL),
        LSTM_OK);
    assert_refused(lstm_stream_create(&stream, f.layer, head, 1), LSTM_SHAPE_MISMATCH,
                   "head has 127 inputs, expected 128");
    lstm_linear_destroy(&head);
    stream = stream_of(&f, true);
    assert_refused(lstm_stream_step(NULL, f.x, NULL), LSTM_INVALID_ARGUMENT, "stream");
    assert_refused(lstm_stream_step(stream, NULL, NULL), LSTM_INVALID_ARGUMENT, "x");
    assert_refused(lstm_stream_step(stream, f.out, NULL), LSTM_SHAPE_MISMATCH,
                   "x is [2, 37, 128], expected [2, 28] or [2, T, 28]");
    assert_refused(lstm_stream_step(stream, f.x, f.out), LSTM_SHAPE_MISMATCH,
                   "y is [2, 37, 128], expected [2, 37, 10]");
    assert_refused(lstm_stream_set_state(stream, f.x, NULL), LSTM_SHAPE_MISMATCH,
                   "h is [2, 37, 28], expected [2, 2, 128]");
    assert_refused(lstm_stream_get_state(stream, NULL, f.x), LSTM_SHAPE_MISMATCH,
                   "c is [2, 37, 28], expected [2, 2, 128]");
    assert_refused(lstm_stream_reset(NULL, NULL), LSTM_INVALID_ARGUMENT, "stream");
    assert_refused(lstm_stream_get_state(NULL, NULL, NULL), LSTM_INVALID_ARGUMENT,
                   "stream");
    assert_refused(lstm_stream_set_state(NULL, NULL, NULL), LSTM_INVALID_ARGUMENT,
                   "stream");
    assert_stream_equals(&f, stream, true, 1);
    lstm_stream_destroy(&stream);
    lstm_stream_destroy(&stream);
    lstm_stream_destroy(NULL);
    destroy_fixture(&f);
}

static void two_directions_are_refused(void **state)
{
    (void)state;
    lstm_layer *layer;
    lstm_stream *stream;
    lstm_layer_config config = {.inputs = 2, .hidden = 3, .bidirectional = true};
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    assert_refused(lstm_stream_create(&stream, layer, NULL, 1), LSTM_INVALID_ARGUMENT,
                   "layer is bidirectional");
    lstm_layer_destroy(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_split_gives_the_bits_of_the_forward),
        TEST(set_states_continue_the_forward),
        TEST(a_reset_stream_is_a_new_stream),
        TEST(one_row_can_start_again),
        TEST(one_step_needs_no_time_axis),
        TEST(strides_do_not_matter),
        TEST(many_threads_stream_one_layer),
        TEST(a_decaying_state_becomes_zero_not_denormal),
        TEST(denormal_inputs_count_as_zeros),
        TEST(a_layer_that_is_not_ready_is_refused),
        TEST(wrong_arguments_are_refused_with_a_message),
        TEST(two_directions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
