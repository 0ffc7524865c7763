/* Memory of tapes: its size, its owner, and failed allocations. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/support/common.h"
#include "tests/support/test.h"

enum { N = 3, T = 5, INPUTS = 4, HIDDEN = 20 };

/* Counts allocations; fails number `fail`, and all after it when `all` is set. */
typedef struct counter {
    size_t count, bytes, fail;
    bool all;
} counter;

static bool count_allocation(size_t bytes, void *user)
{
    counter *c = user;
    size_t index = c->count++;
    c->bytes += bytes;
    return c->all ? index < c->fail : index != c->fail;
}

static void count_from(counter *c, size_t fail, bool all)
{
    *c = (counter){.fail = fail, .all = all};
    test_memory_set_hook(count_allocation, c);
}

static void stop_counting(void)
{
    test_memory_set_hook(NULL, NULL);
}

static lstm_tensor *tensor_of(size_t a, size_t b, size_t c)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 3, (size_t[]){a, b, c}), LSTM_OK);
    return tensor;
}

typedef struct fixture {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_tape *tape;
    lstm_tensor *x, *out, *dx;
} fixture;

static const lstm_layer_config configs[] = {
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .dropout = 0.5},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .bidirectional = true},
    {.inputs = INPUTS, .hidden = HIDDEN, .proj_size = 7},
};
enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

static fixture create_fixture(const lstm_layer_config *config)
{
    fixture f = {0};
    assert_int_equal(lstm_rng_create(&f.rng, 5), LSTM_OK);
    assert_int_equal(lstm_layer_create(&f.layer, config, f.rng), LSTM_OK);
    f.x = tensor_of(T, N, INPUTS);
    f.dx = tensor_of(T, N, INPUTS);
    f.out = tensor_of(T, N, lstm_layer_output_size(f.layer));
    assert_int_equal(lstm_rng_uniform(f.rng, f.x, -1, 1), LSTM_OK);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_tape_destroy(&f->tape);
    lstm_layer_destroy(&f->layer);
    lstm_tensor_destroy(&f->x);
    lstm_tensor_destroy(&f->dx);
    lstm_tensor_destroy(&f->out);
    lstm_rng_destroy(&f->rng);
}

static lstm_status create(fixture *f)
{
    return lstm_tape_create(&f->tape, f->layer, f->rng);
}

static lstm_status forward(fixture *f)
{
    return lstm_layer_forward(f->layer, f->tape, f->x, NULL, NULL, NULL, f->out, NULL,
                              NULL);
}

static lstm_status backward(fixture *f)
{
    return lstm_layer_backward(f->layer, f->tape, f->out, NULL, NULL, f->dx, NULL,
                               NULL);
}

static lstm_status pack(fixture *f)
{
    return lstm_layer_pack(f->layer);
}

/* Makes each allocation of a call fail, alone or with all after it, until the call
 * succeeds. The outputs, which contain sevens, must not change. Returns the number of
 * failures. */
static size_t fail_each(fixture *f, lstm_status (*call)(fixture *), bool all)
{
    for (size_t fail = 0;; fail++) {
        counter c;
        assert_int_equal(lstm_tensor_fill(f->out, 7), LSTM_OK);
        assert_int_equal(lstm_tensor_fill(f->dx, 7), LSTM_OK);
        count_from(&c, fail, all);
        lstm_status status = call(f);
        stop_counting();
        if (status == LSTM_OK)
            return fail;
        assert_int_equal(status, LSTM_OUT_OF_MEMORY);
        assert_true(lstm_tensor_data(f->out)[0] == 7);
        assert_true(lstm_tensor_data(f->dx)[0] == 7);
        assert_true(f->tape || call != forward);
    }
}

static void each_failed_allocation_does_not_change_outputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * CONFIGS; i++) {
        fixture f = create_fixture(&configs[i / 2]);
        bool all = i % 2;
        assert_int_equal(fail_each(&f, create, all), 1);
        assert_non_null(f.tape);
        assert_int_equal(fail_each(&f, forward, all), 2);
        assert_int_equal(fail_each(&f, backward, all), 2);
        assert_int_equal(backward(&f), LSTM_INVALID_STATE);
        destroy_fixture(&f);
        f = create_fixture(&configs[i / 2]);
        assert_int_equal(fail_each(&f, pack, all), 2);
        destroy_fixture(&f);
    }
}

/* A failed lstm_layer_pack() does not discard a pending forward. */
static void a_failed_pack_keeps_pending_forwards(void **state)
{
    (void)state;
    fixture f = create_fixture(&configs[0]);
    assert_int_equal(create(&f), LSTM_OK);
    assert_int_equal(forward(&f), LSTM_OK);
    counter c;
    count_from(&c, 0, true);
    assert_int_equal(pack(&f), LSTM_OUT_OF_MEMORY);
    stop_counting();
    assert_int_equal(backward(&f), LSTM_OK);
    destroy_fixture(&f);
}

static void the_second_step_of_a_shape_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIGS; i++) {
        fixture f = create_fixture(&configs[i]);
        assert_int_equal(create(&f), LSTM_OK);
        for (size_t step = 0; step < 3; step++) {
            counter c;
            count_from(&c, SIZE_MAX, false);
            assert_int_equal(forward(&f), LSTM_OK);
            assert_int_equal(backward(&f), LSTM_OK);
            stop_counting();
            assert_int_equal(c.count, step ? 0 : 4);
        }
        destroy_fixture(&f);
    }
}

static void a_given_workspace_is_enough_and_no_byte_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * CONFIGS; i++) {
        bool training = i % 2;
        fixture f = create_fixture(&configs[i / 2]);
        assert_int_equal(create(&f), LSTM_OK);
        size_t size = lstm_layer_workspace_size(f.layer, training, N, T);
        void *memory = common_alloc(size, 1);
        assert_int_equal(lstm_layer_set_workspace(f.layer, f.tape, memory, size - 1),
                         LSTM_OK);
        assert_int_equal(lstm_layer_set_training(f.layer, training), LSTM_OK);
        assert_int_equal(forward(&f), LSTM_OUT_OF_MEMORY);
        assert_contains(lstm_last_error(), "workspace has");
        assert_int_equal(lstm_layer_set_workspace(f.layer, f.tape, memory, size),
                         LSTM_OK);
        counter c;
        count_from(&c, SIZE_MAX, false);
        assert_int_equal(forward(&f), LSTM_OK);
        assert_int_equal(backward(&f), training ? LSTM_OK : LSTM_INVALID_STATE);
        stop_counting();
        assert_int_equal(c.count, 0);
        destroy_fixture(&f);
        common_free(memory);
    }
}

/* Single steps of a decoder: a tape needs memory for its activations, but not for a
 * backward pass. */
static void a_hundred_single_steps_take_under_two_mebibytes(void **state)
{
    (void)state;
    enum { TAPES = 100, SIZE = 256, MOST = 2 << 20 };
    const lstm_layer_config config = {.inputs = SIZE, .hidden = SIZE};
    lstm_layer *layer;
    lstm_tape *tapes[TAPES];
    lstm_tensor *x = tensor_of(1, 1, SIZE);
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_pack(layer), LSTM_OK);
    counter c;
    count_from(&c, SIZE_MAX, false);
    for (size_t i = 0; i < TAPES; i++) {
        assert_int_equal(lstm_tape_create(&tapes[i], layer, NULL), LSTM_OK);
        assert_int_equal(
            lstm_layer_forward(layer, tapes[i], x, NULL, NULL, NULL, NULL, NULL, NULL),
            LSTM_OK);
    }
    assert_true(c.bytes < MOST);
    /* The first backward allocates memory that all backwards use. */
    size_t before = c.count;
    for (size_t i = 0; i < TAPES; i++)
        assert_int_equal(
            lstm_layer_backward(layer, tapes[i], NULL, NULL, NULL, NULL, NULL, NULL),
            LSTM_OK);
    assert_int_equal(c.count, before + 1);
    stop_counting();
    for (size_t i = 0; i < TAPES; i++)
        lstm_tape_destroy(&tapes[i]);
    lstm_tensor_destroy(&x);
    lstm_layer_destroy(&layer);
}

/* A fork while another thread packs the weights. The hook runs in that thread, which
 * holds the lock, and waits for the fork. */
typedef struct fork_at_packing {
    pthread_t thread;
    lstm_layer *layer;
    lstm_tape *tape;
    lstm_tensor *x;
    int status;
    bool started;
} fork_at_packing;

static void *fork_and_run(void *context)
{
    enum { PATIENCE = 20 };
    fork_at_packing *f = context;
    pid_t child = fork();
    if (child == 0) {
        stop_counting();
        alarm(PATIENCE);
        _exit(lstm_layer_forward(f->layer, f->tape, f->x, NULL, NULL, NULL, NULL, NULL,
                                 NULL));
    }
    waitpid(child, &f->status, 0);
    return NULL;
}

static bool fork_once(size_t bytes, void *user)
{
    fork_at_packing *f = user;
    (void)bytes;
    if (!f->started) {
        f->started = true;
        assert_int_equal(pthread_create(&f->thread, NULL, fork_and_run, f), 0);
        assert_int_equal(pthread_join(f->thread, NULL), 0);
    }
    return true;
}

static void a_fork_while_weights_are_packed_does_not_stop_the_child(void **state)
{
    (void)state;
    fixture f = create_fixture(&configs[1]);
    lstm_tape *other;
    assert_int_equal(lstm_tape_create(&f.tape, f.layer, NULL), LSTM_OK);
    assert_int_equal(lstm_tape_create(&other, f.layer, NULL), LSTM_OK);
    fork_at_packing at = {.layer = f.layer, .tape = other, .x = f.x, .status = -1};
    test_memory_set_hook(fork_once, &at);
    assert_int_equal(
        lstm_layer_forward(f.layer, f.tape, f.x, NULL, NULL, NULL, f.out, NULL, NULL),
        LSTM_OK);
    stop_counting();
    assert_true(at.started);
    assert_int_equal(at.status, 0);
    lstm_tape_destroy(&other);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_failed_allocation_does_not_change_outputs),
        TEST(a_failed_pack_keeps_pending_forwards),
        TEST(the_second_step_of_a_shape_allocates_nothing),
        TEST(a_given_workspace_is_enough_and_no_byte_more),
        TEST(a_hundred_single_steps_take_under_two_mebibytes),
        TEST(a_fork_while_weights_are_packed_does_not_stop_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
