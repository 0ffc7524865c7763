/* Queues of tasks: each task runs once and in order, on any thread. */
#include <lstm/threads.h>

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/tasks.h"
#include "tests/support/test.h"

enum { QUEUES = 7, TASKS = 5, MOST = 16 };

/* Tasks write done without atomics: the thread sanitizer reports a task that does not
 * wait for the one before it. */
typedef struct {
    lstm_queue queues[QUEUES];
    size_t done[QUEUES];
    atomic_size_t wrong;
} work;

/* Counts instead of asserting: only the test's own thread may assert. */
static void do_task(work *w, const lstm_task *task)
{
    if (w->done[task->queue] != task->index)
        atomic_fetch_add(&w->wrong, 1);
    w->done[task->queue] = task->index + 1;
}

static void assert_all_done(const work *w)
{
    assert_int_equal(atomic_load(&w->wrong), 0);
    for (size_t i = 0; i < QUEUES; i++)
        assert_int_equal(w->done[i], TASKS);
}

static lstm_task begin(work *w, size_t thread, size_t threads)
{
    return lstm_task_begin(w->queues, QUEUES, TASKS, thread, threads);
}

static void finish(work *w, lstm_task *task)
{
    while (lstm_task_take(task)) {
        do_task(w, task);
        lstm_task_finish(task);
    }
}

static void own_queues_take_turns(void **state)
{
    (void)state;
    work w = {0};
    lstm_queues_reset(w.queues, QUEUES);
    lstm_task task = begin(&w, 1, 2);
    for (size_t i = 0; i < (QUEUES - 3) * TASKS; i++) {
        assert_true(lstm_task_take(&task));
        assert_int_equal(task.queue, 3 + i % (QUEUES - 3));
        assert_int_equal(task.index, i / (QUEUES - 3));
        lstm_task_finish(&task);
    }
    assert_true(lstm_task_take(&task));
    assert_in_range(task.queue, 0, 2);
}

static void a_thread_runs_the_tasks_of_absent_threads(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++)
        for (size_t thread = 0; thread < threads; thread++) {
            work w = {0};
            lstm_queues_reset(w.queues, QUEUES);
            lstm_task task = begin(&w, thread, threads);
            finish(&w, &task);
            assert_all_done(&w);
        }
}

static void a_queue_that_another_thread_holds_is_skipped(void **state)
{
    (void)state;
    work w = {0};
    lstm_queues_reset(w.queues, QUEUES);
    lstm_task holder = begin(&w, 0, 2), other = begin(&w, 1, 2);
    assert_true(lstm_task_take(&holder));
    finish(&w, &other);
    for (size_t i = 0; i < QUEUES; i++)
        assert_int_equal(w.done[i], i == holder.queue ? 0 : TASKS);
    do_task(&w, &holder);
    lstm_task_finish(&holder);
    finish(&w, &holder);
    assert_all_done(&w);
}

static void run_tasks(void *data, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    work *w = data;
    lstm_task task = begin(w, thread, threads);
    finish(w, &task);
}

static void threads_run_each_task_once_and_in_order(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        assert_int_equal(lstm_set_threads(threads), LSTM_OK);
        for (size_t round = 0; round < 50; round++) {
            work w = {0};
            lstm_queues_reset(w.queues, QUEUES);
            lstm_pool_run(run_tasks, &w, threads);
            assert_all_done(&w);
        }
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(own_queues_take_turns),
        TEST(a_thread_runs_the_tasks_of_absent_threads),
        TEST(a_queue_that_another_thread_holds_is_skipped),
        TEST(threads_run_each_task_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
