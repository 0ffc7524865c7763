/* Chains of slices: each slice once, in order, whoever takes it. */
#include <lstm/threads.h>

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/turns.h"
#include "tests/support/test.h"

enum { CHAINS = 7, SLICES = 5, MOST = 16 };

/* What slices write, without atomics: the sanitizer of threads sees whether a slice
 * comes after the one before it. */
typedef struct {
    lstm_chain chains[CHAINS];
    size_t done[CHAINS];
    atomic_size_t wrong;
} work;

/* Assertions are for the thread of the test. */
static void do_slice(work *w, const lstm_turn *turn)
{
    if (w->done[turn->chain] != turn->slice)
        atomic_fetch_add(&w->wrong, 1);
    w->done[turn->chain] = turn->slice + 1;
}

static void assert_all_done(const work *w)
{
    assert_int_equal(atomic_load(&w->wrong), 0);
    for (size_t i = 0; i < CHAINS; i++)
        assert_int_equal(w->done[i], SLICES);
}

static lstm_turn begin(work *w, size_t share, size_t shares)
{
    return lstm_turn_begin(w->chains, CHAINS, SLICES, share, shares);
}

static void finish(work *w, lstm_turn *turn)
{
    while (lstm_turn_take(turn)) {
        do_slice(w, turn);
        lstm_turn_give(turn);
    }
}

static void own_chains_come_in_turns(void **state)
{
    (void)state;
    work w = {0};
    lstm_chains_reset(w.chains, CHAINS);
    lstm_turn turn = begin(&w, 1, 2);
    for (size_t i = 0; i < (CHAINS - 3) * SLICES; i++) {
        assert_true(lstm_turn_take(&turn));
        assert_int_equal(turn.chain, 3 + i % (CHAINS - 3));
        assert_int_equal(turn.slice, i / (CHAINS - 3));
        lstm_turn_give(&turn);
    }
    assert_true(lstm_turn_take(&turn));
    assert_in_range(turn.chain, 0, 2);
}

static void a_share_does_what_others_do_not(void **state)
{
    (void)state;
    for (size_t shares = 1; shares <= MOST; shares++)
        for (size_t share = 0; share < shares; share++) {
            work w = {0};
            lstm_chains_reset(w.chains, CHAINS);
            lstm_turn turn = begin(&w, share, shares);
            finish(&w, &turn);
            assert_all_done(&w);
        }
}

static void a_chain_in_other_hands_is_left_alone(void **state)
{
    (void)state;
    work w = {0};
    lstm_chains_reset(w.chains, CHAINS);
    lstm_turn holder = begin(&w, 0, 2), other = begin(&w, 1, 2);
    assert_true(lstm_turn_take(&holder));
    finish(&w, &other);
    for (size_t i = 0; i < CHAINS; i++)
        assert_int_equal(w.done[i], i == holder.chain ? 0 : SLICES);
    do_slice(&w, &holder);
    lstm_turn_give(&holder);
    finish(&w, &holder);
    assert_all_done(&w);
}

static void share_of_region(void *data, lstm_team *team, size_t share, size_t shares)
{
    (void)team;
    work *w = data;
    lstm_turn turn = begin(w, share, shares);
    finish(w, &turn);
}

static void threads_do_each_slice_once_and_in_order(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        assert_int_equal(lstm_set_threads(threads), LSTM_OK);
        for (size_t round = 0; round < 50; round++) {
            work w = {0};
            lstm_chains_reset(w.chains, CHAINS);
            lstm_pool_run(share_of_region, &w, threads);
            assert_all_done(&w);
        }
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(own_chains_come_in_turns),
        TEST(a_share_does_what_others_do_not),
        TEST(a_chain_in_other_hands_is_left_alone),
        TEST(threads_do_each_slice_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
