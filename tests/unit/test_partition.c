/* How many threads a pass can use: each size counts as a factor. */
#include <lstm/threads.h>

#include "lib/lstm/nn/partition.h"
#include "tests/support/test.h"

typedef struct shape {
    size_t hidden, inputs, state, rows, steps, layers, threads;
} shape;

static size_t threads_of(const shape *s, bool *split_units)
{
    lstm_weights weights = {
        .config = {.inputs = s->inputs, .hidden = s->hidden, .layers = s->layers},
        .state = s->state};
    lstm_tape tape = {.batch = {.steps = s->steps, .blocked = {.rows = s->rows}}};
    size_t threads = lstm_partition_threads(&weights, &tape);
    *split_units = tape.split_units;
    return threads;
}

static void small_passes_use_one_thread(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {16, 16, 16, 8, 10, 1, 1},  {64, 16, 16, 8, 10, 1, 2},
        {16, 100, 16, 8, 10, 1, 2}, {16, 16, 100, 8, 10, 1, 2},
        {16, 16, 16, 32, 10, 1, 8}, {16, 16, 16, 8, 40, 1, 2},
        {16, 16, 16, 8, 10, 3, 2},  {16, 16, 16, 8, 24, 1, 1},
        {16, 16, 16, 8, 25, 1, 2},  {16, 16, 16, 9, 40, 1, 3}};
    size_t before = lstm_threads();
    bool split_units;
    assert_int_equal(lstm_set_threads(2), LSTM_OK);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        assert_int_equal(threads_of(&shapes[i], &split_units), shapes[i].threads);
        assert_false(split_units);
    }
    assert_int_equal(lstm_set_threads(before), LSTM_OK);
}

static void few_rows_share_the_hidden_units(void **state)
{
    (void)state;
    enum { HIDDEN = 8 * LSTM_BLOCK };
    static const shape shapes[] = {{HIDDEN, 16, 16, 8, 100, 1, 8},
                                   {HIDDEN, 16, 16, 31, 100, 1, 8},
                                   {HIDDEN, 16, 16, 32, 100, 1, 8},
                                   {HIDDEN - LSTM_BLOCK, 16, 16, 8, 100, 1, 2}};
    size_t before = lstm_threads();
    bool split_units;
    assert_int_equal(lstm_set_threads(2), LSTM_OK);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        assert_int_equal(threads_of(&shapes[i], &split_units), shapes[i].threads);
        assert_int_equal(split_units, i < 2);
    }
    assert_int_equal(lstm_set_threads(before), LSTM_OK);
}

static void units_are_split_among_several_threads(void **state)
{
    (void)state;
    lstm_weights weights = {.config = {.inputs = 1, .hidden = 64, .layers = 1},
                            .directions = 1,
                            .state = 64};
    lstm_tape tape = {.batch = {.steps = 5, .blocked = {.rows = 8, .group_rows = 4}},
                      .window = 5};
    for (size_t threads = 1; threads <= 3; threads++)
        for (int split = 0; split <= 1; split++) {
            tape.split_units = split;
            lstm_partition p = lstm_partition_create(&weights, &tape, threads, false);
            assert_int_equal(p.split_units, split && threads > 1);
            assert_in_range(p.queues, threads, 8);
            assert_in_range(p.chunks * p.chunk_steps, 5, 9);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_passes_use_one_thread),
        TEST(few_rows_share_the_hidden_units),
        TEST(units_are_split_among_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
