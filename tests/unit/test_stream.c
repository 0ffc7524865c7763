/* A step of a stream allocates no memory and makes no system call. */
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/support/memory.h"

typedef struct fixture {
    lstm_layer *layer;
    lstm_linear *head;
    lstm_stream *stream;
    lstm_tensor *x, *y;
} fixture;

static fixture create_fixture(size_t batch)
{
    fixture f;
    lstm_rng *rng;
    lstm_layer_config config = {
        .inputs = 28, .hidden = 50, .layers = 2, .proj_size = 20, .batch_first = true};
    assert_int_equal(lstm_rng_create(&rng, 1), LSTM_OK);
    assert_int_equal(lstm_layer_create(&f.layer, &config, rng), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(&f.head, &(lstm_linear_config){.inputs = 20, .outputs = 10},
                           rng),
        LSTM_OK);
    assert_int_equal(lstm_layer_set_training(f.layer, false), LSTM_OK);
    assert_int_equal(lstm_stream_create(&f.stream, f.layer, f.head, batch), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&f.x, 3, (size_t[]){batch, 3, 28}), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&f.y, 3, (size_t[]){batch, 3, 10}), LSTM_OK);
    lstm_rng_destroy(&rng);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_stream_destroy(&f->stream);
    lstm_tensor_destroy(&f->x);
    lstm_tensor_destroy(&f->y);
    lstm_linear_destroy(&f->head);
    lstm_layer_destroy(&f->layer);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    for (size_t batch = 1; batch < 40; batch += 19) {
        fixture f = create_fixture(batch);
        test_memory memory;
        test_memory_limit(&memory, 0);
        struct mallinfo2 before = mallinfo2();
        for (int i = 0; i < 3; i++) {
            assert_int_equal(lstm_stream_step(f.stream, f.x, f.y), LSTM_OK);
            assert_int_equal(lstm_stream_reset(f.stream, NULL), LSTM_OK);
        }
        struct mallinfo2 after = mallinfo2();
        test_memory_unlimit();
        assert_int_equal(before.uordblks, after.uordblks);
        destroy_fixture(&f);
    }
}

/* In seccomp's strict mode the operating system kills a process that makes calls other
 * than read, write and exit. The child enters it, runs steps, and exits. */
static void steps_in_strict_mode(fixture *f)
{
    enum { NOT_PERMITTED = 77 };
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0)
        _exit(NOT_PERMITTED);
    lstm_status status = LSTM_OK;
    for (int i = 0; !status && i < 3; i++)
        status = lstm_stream_step(f->stream, f->x, f->y);
    syscall(SYS_exit, status ? 1 : 0);
}

static void a_step_makes_no_system_call(void **state)
{
    (void)state;
    for (size_t batch = 1; batch < 40; batch += 19) {
        fixture f = create_fixture(batch);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            steps_in_strict_mode(&f);
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        destroy_fixture(&f);
        if (WIFEXITED(result) && WEXITSTATUS(result) == 77)
            skip();
        assert_true(WIFEXITED(result));
        assert_int_equal(WEXITSTATUS(result), 0);
    }
}

static void creation_survives_every_failing_allocation(void **state)
{
    (void)state;
    fixture f = create_fixture(3);
    lstm_stream *stream = NULL;
    test_memory memory;
    lstm_status status = LSTM_OUT_OF_MEMORY;
    for (size_t k = 0; status; k++) {
        test_memory_limit(&memory, k);
        status = lstm_stream_create(&stream, f.layer, f.head, 3);
        test_memory_unlimit();
        assert_true(status == LSTM_OUT_OF_MEMORY || status == LSTM_OK);
        assert_int_equal(stream == NULL, status != LSTM_OK);
    }
    lstm_stream_destroy(&stream);
    destroy_fixture(&f);
}

static void without_memory_a_layer_stays_in_training(void **state)
{
    (void)state;
    lstm_layer *layer;
    lstm_layer_config config = {.inputs = 2, .hidden = 3};
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    test_memory memory;
    test_memory_limit(&memory, 0);
    lstm_status status = lstm_layer_set_training(layer, false);
    test_memory_unlimit();
    assert_int_equal(status, LSTM_OUT_OF_MEMORY);
    lstm_stream *stream;
    assert_int_equal(lstm_stream_create(&stream, layer, NULL, 1), LSTM_INVALID_STATE);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    lstm_layer_destroy(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_step_allocates_nothing),
        TEST(a_step_makes_no_system_call),
        TEST(creation_survives_every_failing_allocation),
        TEST(without_memory_a_layer_stays_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
