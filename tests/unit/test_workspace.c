/* The memory of forward and backward: its size and owner, and windows of long
 * sequences. */
#include <lstm/lstm.h>

#include "tests/support/memory.h"

enum { N = 19, T = 30, INPUTS = 3, HIDDEN = 20, LAYERS = 2 };

static const lstm_layer_config configs[] = {
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS, .bidirectional = true},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS, .dropout = 0.5},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS, .proj_size = 7},
    {.inputs = INPUTS,
     .hidden = HIDDEN,
     .layers = LAYERS,
     .bidirectional = true,
     .dropout = 0.5,
     .precision = LSTM_BFLOAT16},
};
enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

typedef struct fixture {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_tensor *x, *out, *dx;
    size_t width;
} fixture;

static lstm_tensor *tensor_of(size_t a, size_t b, size_t c)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 3, (size_t[]){a, b, c}), LSTM_OK);
    return tensor;
}

static fixture create_fixture(const lstm_layer_config *config)
{
    fixture f;
    assert_int_equal(lstm_rng_create(&f.rng, 5), LSTM_OK);
    assert_int_equal(lstm_layer_create(&f.layer, config, f.rng), LSTM_OK);
    f.width = (config->bidirectional ? 2 : 1) *
              (config->proj_size ? config->proj_size : config->hidden);
    f.x = tensor_of(T, N, INPUTS);
    f.dx = tensor_of(T, N, INPUTS);
    f.out = tensor_of(T, N, f.width);
    assert_int_equal(lstm_rng_uniform(f.rng, f.x, -1, 1), LSTM_OK);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_layer_destroy(&f->layer);
    lstm_tensor_destroy(&f->x);
    lstm_tensor_destroy(&f->dx);
    lstm_tensor_destroy(&f->out);
    lstm_rng_destroy(&f->rng);
}

static lstm_status forward(const fixture *f)
{
    return lstm_layer_forward(f->layer, NULL, f->x, NULL, NULL, NULL, f->out, NULL,
                              NULL);
}

static lstm_status backward(const fixture *f)
{
    return lstm_layer_backward(f->layer, NULL, f->out, NULL, NULL, f->dx, NULL, NULL);
}

/* The first forward, of one row and step, allocates the panels. */
static void warm_up(const fixture *f)
{
    lstm_tensor *x = tensor_of(1, 1, INPUTS);
    assert_int_equal(
        lstm_layer_forward(f->layer, NULL, x, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_OK);
    lstm_tensor_destroy(&x);
}

static void the_size_is_what_a_forward_allocates(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * CONFIGS; i++) {
        bool training = i % 2;
        fixture f = create_fixture(&configs[i / 2]);
        assert_int_equal(lstm_layer_set_training(f.layer, training), LSTM_OK);
        warm_up(&f);
        size_t size = lstm_layer_workspace_size(f.layer, training, N, T);
        test_memory memory;
        test_memory_limit(&memory, 1);
        lstm_status status = forward(&f);
        test_memory_unlimit();
        assert_int_equal(status, LSTM_OK);
        assert_int_equal(memory.largest, size);
        destroy_fixture(&f);
    }
}

/* Backward needs x, and the gates, c and h of each cell; tanh(c) could be recomputed.
 */
static void training_needs_at_most_one_and_a_half_times_what_backward_keeps(
    void **state)
{
    (void)state;
    static const struct {
        size_t inputs, hidden, layers, batch, steps;
    } shapes[] = {{28, 128, 2, 64, 28},   {28, 128, 1, 64, 28}, {64, 64, 3, 32, 28},
                  {28, 128, 2, 256, 100}, {16, 96, 2, 64, 50},  {128, 256, 3, 64, 28}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        lstm_layer *layer;
        assert_int_equal(
            lstm_layer_create(&layer,
                              &(lstm_layer_config){.inputs = shapes[i].inputs,
                                                   .hidden = shapes[i].hidden,
                                                   .layers = shapes[i].layers},
                              NULL),
            LSTM_OK);
        size_t kept = shapes[i].batch * shapes[i].steps *
                      (shapes[i].inputs + shapes[i].layers * 6 * shapes[i].hidden);
        size_t size =
            lstm_layer_workspace_size(layer, true, shapes[i].batch, shapes[i].steps);
        assert_true((double)size <= 1.5 * (double)(kept * sizeof(float)));
        lstm_layer_destroy(&layer);
    }
}

static void evaluation_does_not_grow_with_the_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++) {
        fixture f = create_fixture(&configs[i]);
        size_t some = lstm_layer_workspace_size(f.layer, false, N, 16);
        size_t many = lstm_layer_workspace_size(f.layer, false, N, 1000000);
        assert_int_equal(some == many, !configs[i].bidirectional);
        assert_true(lstm_layer_workspace_size(f.layer, true, N, 17) >
                    lstm_layer_workspace_size(f.layer, true, N, 16));
        destroy_fixture(&f);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    fixture f = create_fixture(&configs[0]);
    assert_int_equal(lstm_layer_workspace_size(NULL, true, 1, 1), 0);
    assert_int_equal(lstm_layer_workspace_size(f.layer, true, 0, 1), 0);
    assert_int_equal(lstm_layer_workspace_size(f.layer, true, 1, 0), 0);
    assert_true(lstm_layer_workspace_size(f.layer, true, SIZE_MAX, 1) == SIZE_MAX);
    assert_true(lstm_layer_workspace_size(f.layer, true, 1, SIZE_MAX / 8) == SIZE_MAX);
    assert_true(lstm_layer_workspace_size(f.layer, true, (size_t)1 << 40,
                                          (size_t)1 << 20) == SIZE_MAX);
    /* With strides of zero, a tensor with many elements needs little memory. */
    lstm_tensor *x;
    float one[INPUTS] = {0};
    const size_t shape[] = {(size_t)1 << 20, (size_t)1 << 39, INPUTS};
    assert_int_equal(lstm_tensor_wrap(&x, one, 3, shape, (ptrdiff_t[]){0, 0, 1}),
                     LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(f.layer, NULL, x, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_OUT_OF_MEMORY);
    lstm_tensor_destroy(&x);
    destroy_fixture(&f);
}

static void memory_of_the_caller_is_enough_and_gives_the_same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++) {
        fixture own = create_fixture(&configs[i]), f = create_fixture(&configs[i]);
        size_t size = lstm_layer_workspace_size(f.layer, true, N, T);
        void *workspace = aligned_alloc(64, size);
        assert_int_equal(forward(&own), LSTM_OK);
        assert_int_equal(backward(&own), LSTM_OK);
        assert_int_equal(lstm_layer_set_workspace(f.layer, NULL, workspace, size),
                         LSTM_OK);
        test_memory memory;
        test_memory_limit(&memory, 0);
        assert_int_equal(forward(&f), LSTM_OK);
        assert_int_equal(backward(&f), LSTM_OK);
        assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
        assert_int_equal(lstm_layer_set_training(f.layer, true), LSTM_OK);
        test_memory_unlimit();
        assert_memory_equal(lstm_tensor_data(own.dx), lstm_tensor_data(f.dx),
                            lstm_tensor_count(f.dx) * sizeof(float));
        destroy_fixture(&own);
        destroy_fixture(&f);
        free(workspace);
    }
}

/* Training and evaluation may read panels of different sizes. */
static void a_switch_to_training_allocates_so_that_no_call_after_it_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++) {
        fixture f = create_fixture(&configs[i]);
        size_t size = lstm_layer_workspace_size(f.layer, true, N, T);
        void *workspace = aligned_alloc(64, size);
        assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
        assert_int_equal(lstm_layer_set_workspace(f.layer, NULL, workspace, size),
                         LSTM_OK);
        assert_int_equal(forward(&f), LSTM_OK);
        size_t bytes = lstm_tensor_count(f.out) * sizeof(float);
        float *out = malloc(bytes);
        memcpy(out, lstm_tensor_data(f.out), bytes);
        test_memory memory;
        for (size_t allocations = 0;; allocations++) {
            test_memory_limit(&memory, allocations);
            if (lstm_layer_set_training(f.layer, true) == LSTM_OK)
                break;
            /* A failure leaves the layer as it was. */
            assert_int_equal(forward(&f), LSTM_OK);
            assert_memory_equal(lstm_tensor_data(f.out), out, bytes);
        }
        assert_true(memory.largest > 0);
        test_memory_limit(&memory, 0);
        assert_int_equal(forward(&f), LSTM_OK);
        assert_int_equal(backward(&f), LSTM_OK);
        test_memory_unlimit();
        destroy_fixture(&f);
        free(out);
        free(workspace);
    }
}

static void too_little_memory_is_refused_with_both_sizes(void **state)
{
    (void)state;
    fixture f = create_fixture(&configs[0]);
    size_t size = lstm_layer_workspace_size(f.layer, true, N, T);
    char *workspace = aligned_alloc(64, size);
    char text[100];
    assert_int_equal(lstm_layer_set_workspace(f.layer, NULL, workspace, size - 1),
                     LSTM_OK);
    assert_int_equal(forward(&f), LSTM_OUT_OF_MEMORY);
    snprintf(text, sizeof(text),
             "workspace has %zu bytes, but a batch of 19 with 30 steps takes %zu",
             size - 1, size);
    assert_contains(lstm_last_error(), text);
    assert_int_equal(backward(&f), LSTM_INVALID_STATE);
    assert_int_equal(lstm_layer_set_workspace(f.layer, NULL, workspace + 4, size),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "expected a multiple of 64");
    assert_int_equal(lstm_layer_set_workspace(NULL, NULL, workspace, size),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_set_workspace(f.layer, NULL, NULL, 0), LSTM_OK);
    assert_int_equal(forward(&f), LSTM_OK);
    destroy_fixture(&f);
    free(workspace);
}

static void parts_with_carried_states_give_the_bits_of_one_run(void **state)
{
    (void)state;
    enum { CHUNK = 10 };
    fixture f = create_fixture(&configs[3]);
    lstm_tensor *whole = tensor_of(T, N, f.width);
    lstm_tensor *h = tensor_of(LAYERS, N, 7), *c = tensor_of(LAYERS, N, HIDDEN);
    assert_int_equal(
        lstm_layer_forward(f.layer, NULL, f.x, NULL, NULL, NULL, whole, NULL, NULL),
        LSTM_OK);
    for (size_t start = 0; start < T; start += CHUNK) {
        lstm_tensor *x, *out;
        assert_int_equal(lstm_tensor_narrow(&x, f.x, 0, start, CHUNK), LSTM_OK);
        assert_int_equal(lstm_tensor_narrow(&out, f.out, 0, start, CHUNK), LSTM_OK);
        assert_int_equal(lstm_layer_forward(f.layer, NULL, x, NULL, h, c, out, h, c),
                         LSTM_OK);
        assert_int_equal(
            lstm_layer_backward(f.layer, NULL, out, NULL, NULL, NULL, NULL, NULL),
            LSTM_OK);
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&out);
    }
    for (size_t i = 0; i < lstm_tensor_count(whole); i++)
        assert_true(lstm_tensor_data(whole)[i] == lstm_tensor_data(f.out)[i]);
    lstm_tensor_destroy(&whole);
    lstm_tensor_destroy(&h);
    lstm_tensor_destroy(&c);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_size_is_what_a_forward_allocates),
        TEST(training_needs_at_most_one_and_a_half_times_what_backward_keeps),
        TEST(evaluation_does_not_grow_with_the_steps),
        TEST(sizes_that_overflow_are_refused),
        TEST(memory_of_the_caller_is_enough_and_gives_the_same_bits),
        TEST(a_switch_to_training_allocates_so_that_no_call_after_it_does),
        TEST(too_little_memory_is_refused_with_both_sizes),
        TEST(parts_with_carried_states_give_the_bits_of_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
