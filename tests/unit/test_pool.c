/* The thread pool: teams, barriers, concurrent callers, fork, signals. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lstm/threads.h>

#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/pool.h"
#include "tests/support/test.h"

#if defined(__SANITIZE_THREAD__)
/* Allows the child of the fork test to create threads. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

enum { MOST = 16, ROUNDS = 20 };

/* How often each thread called the function, and how many threads the team had. */
typedef struct {
    atomic_size_t runs[LSTM_MAX_THREADS];
    atomic_size_t threads;
} tally;

static void count_call(void *context, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    tally *t = context;
    atomic_fetch_add(&t->runs[thread], 1);
    atomic_store(&t->threads, threads);
}

/* Runs a team, and checks that each thread called the function once. */
static size_t run_tally(size_t limit)
{
    tally t = {0};
    lstm_pool_run(count_call, &t, limit);
    size_t threads = atomic_load(&t.threads);
    for (size_t i = 0; i < LSTM_MAX_THREADS; i++)
        assert_int_equal(atomic_load(&t.runs[i]), i < threads ? 1 : 0);
    return threads;
}

static void set_threads(size_t threads)
{
    assert_int_equal(lstm_set_threads(threads), LSTM_OK);
}

static int reset_threads(void **state)
{
    (void)state;
    return lstm_set_threads(0);
}

static void every_thread_calls_the_function_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        set_threads(threads);
        for (int round = 0; round < ROUNDS; round++)
            assert_int_equal(run_tally(LSTM_MAX_THREADS), threads);
    }
}

static void a_limit_bounds_the_team(void **state)
{
    (void)state;
    set_threads(8);
    for (size_t limit = 1; limit <= 12; limit++)
        assert_int_equal(run_tally(limit), limit < 8 ? limit : 8);
}

/* Each thread writes its lap, waits, and reads the laps of all others. */
typedef struct {
    size_t laps[LSTM_MAX_THREADS], wrong[LSTM_MAX_THREADS];
} relay;

static void pass_on(void *context, lstm_team *team, size_t thread, size_t threads)
{
    relay *r = context;
    for (size_t lap = 1; lap <= ROUNDS; lap++) {
        r->laps[thread] = lap;
        lstm_team_wait(team);
        for (size_t i = 0; i < threads; i++)
            r->wrong[thread] += r->laps[i] != lap;
        lstm_team_wait(team);
    }
}

static void run_relay(void)
{
    relay r = {{0}, {0}};
    lstm_pool_run(pass_on, &r, LSTM_MAX_THREADS);
    for (size_t i = 0; i < LSTM_MAX_THREADS; i++)
        assert_int_equal(r.wrong[i], 0);
}

static void threads_wait_for_each_other(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        set_threads(threads);
        run_relay();
    }
}

static void more_threads_than_processors_finish(void **state)
{
    (void)state;
    set_threads(LSTM_MAX_THREADS);
    assert_int_equal(run_tally(LSTM_MAX_THREADS), LSTM_MAX_THREADS);
    run_relay();
}

static void the_number_changes_between_calls(void **state)
{
    (void)state;
    static const size_t numbers[] = {4, 1, 7, 2, 16, 3, 1, 5, 0, 6};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
            set_threads(numbers[i]);
            size_t threads = lstm_threads();
            assert_true(numbers[i] == 0 || threads == numbers[i]);
            assert_int_equal(run_tally(LSTM_MAX_THREADS), threads);
            assert_int_equal(run_tally(2), threads < 2 ? threads : 2);
        }
}

static void a_number_out_of_range_is_refused(void **state)
{
    (void)state;
    set_threads(3);
    assert_int_equal(lstm_set_threads(LSTM_MAX_THREADS + 1), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "threads: number is 65, expected 1 to 64");
    assert_int_equal(lstm_threads(), 3);
}

static void ranges_cover_all_items_once(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 40; count++)
        for (size_t unit = 1; unit <= 5; unit++)
            for (size_t threads = 1; threads <= 9; threads++) {
                assert_int_equal(lstm_range_start(count, unit, 0, threads), 0);
                assert_int_equal(lstm_range_start(count, unit, threads, threads),
                                 count);
                for (size_t thread = 0; thread < threads; thread++) {
                    size_t start = lstm_range_start(count, unit, thread, threads);
                    assert_true(start <=
                                lstm_range_start(count, unit, thread + 1, threads));
                    assert_true(start == count || start % unit == 0);
                }
            }
}

/* Concurrent callers of the pool. */
static void *call_often(void *failures)
{
    for (int round = 0; round < ROUNDS; round++) {
        relay r = {{0}, {0}};
        lstm_pool_run(pass_on, &r, LSTM_MAX_THREADS);
        for (size_t i = 0; i < LSTM_MAX_THREADS; i++)
            *(size_t *)failures += r.wrong[i];
    }
    return NULL;
}

static void concurrent_callers_do_not_disturb_each_other(void **state)
{
    (void)state;
    enum { CALLERS = 5 };
    pthread_t callers[CALLERS];
    size_t failures[CALLERS] = {0};
    set_threads(3);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_often, &failures[i]),
                         0);
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

/* The exit status of a child; -1 when a signal such as its alarm ended it. */
static int status_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The size of a team. Without assertions, because CMocka does not work in a child. */
static int count_threads(void)
{
    tally t = {0};
    lstm_pool_run(count_call, &t, LSTM_MAX_THREADS);
    return (int)atomic_load(&t.threads);
}

enum { PATIENCE = 20 };

static void the_child_of_a_fork_has_its_own_pool(void **state)
{
    (void)state;
    set_threads(4);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(run_tally(LSTM_MAX_THREADS), 4);
        pid_t child = fork();
        if (child == 0) {
            alarm(PATIENCE);
            int threads = count_threads();
            _exit(threads == count_threads() ? threads : 99);
        }
        assert_int_equal(run_tally(LSTM_MAX_THREADS), 4);
        assert_int_equal(status_of(child), 4);
    }
}

/* lstm_threads() in a new process with this value of the variable, restricted to a
 * number of processors (0: not restricted). */
static int threads_of_process(const char *variable, size_t processors)
{
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t all, some;
        if (variable)
            setenv("LSTM_NUM_THREADS", variable, 1);
        else
            unsetenv("LSTM_NUM_THREADS");
        CPU_ZERO(&some);
        if (processors && sched_getaffinity(0, sizeof(all), &all) == 0) {
            for (int i = 0; i < CPU_SETSIZE && processors > 0; i++)
                if (CPU_ISSET(i, &all)) {
                    CPU_SET(i, &some);
                    processors--;
                }
            sched_setaffinity(0, sizeof(some), &some);
        }
        execl("/proc/self/exe", "test-pool", "threads", (char *)NULL);
        _exit(98);
    }
    return status_of(child);
}

static void the_environment_gives_the_number(void **state)
{
    (void)state;
    assert_int_equal(threads_of_process("1", 0), 1);
    assert_int_equal(threads_of_process("5", 0), 5);
    assert_int_equal(threads_of_process("64", 0), 64);
}

static void invalid_numbers_in_the_environment_are_ignored(void **state)
{
    (void)state;
    static const char *const words[] = {"", "0", "65", "-1", "2x", "many", "1e1"};
    int threads = threads_of_process(NULL, 0);
    assert_true(threads >= 1);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(threads_of_process(words[i], 0), threads);
}

static void the_affinity_mask_bounds_the_number(void **state)
{
    (void)state;
    assert_int_equal(threads_of_process(NULL, 1), 1);
    assert_int_equal(threads_of_process("3", 1), 3);
}

/* Each thread halves a number; the result is 0 when denormal numbers are off. */
static void halve(void *context, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    (void)threads;
    volatile float *numbers = context;
    numbers[thread] = numbers[thread] / 2;
}

static void workers_use_the_float_mode_of_the_caller(void **state)
{
    (void)state;
    set_threads(4);
    for (int off = 0; off < 2; off++) {
        float numbers[4] = {0x1p-126f, 0x1p-126f, 0x1p-126f, 0x1p-126f};
        uint64_t mode = off ? lstm_denormals_off() : lstm_float_mode();
        lstm_pool_run(halve, numbers, 4);
        lstm_denormals_restore(mode);
        for (size_t i = 1; i < 4; i++)
            assert_memory_equal(&numbers[i], &numbers[0], sizeof(numbers[0]));
    }
}

static double processor_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

/* A worker that keeps spinning would use all of this time. */
static void idle_workers_sleep(void **state)
{
    (void)state;
    set_threads(2);
    run_tally(2);
    double before = processor_seconds();
    usleep(200000);
    assert_true(processor_seconds() - before < 0.05);
}

/* The signals that each thread blocks. */
static void read_mask(void *context, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    (void)threads;
    pthread_sigmask(SIG_BLOCK, NULL, (sigset_t *)context + thread);
}

static void workers_block_all_signals(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGABRT, SIGUSR1,
                                  SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD,
                                  SIGCONT, SIGTSTP, SIGTTIN, SIGPROF, SIGIO};
    sigset_t before, after, masks[THREADS];
    set_threads(1);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    set_threads(THREADS);
    lstm_pool_run(read_mask, masks, THREADS);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        for (size_t thread = 1; thread < THREADS; thread++)
            assert_true(sigismember(&masks[thread], signals[i]));
        assert_int_equal(sigismember(&masks[0], signals[i]),
                         sigismember(&before, signals[i]));
        assert_int_equal(sigismember(&after, signals[i]),
                         sigismember(&before, signals[i]));
    }
}

static void assert_cancellation(int expected)
{
    int found;
    assert_int_equal(pthread_setcancelstate(expected, &found), 0);
    assert_int_equal(found, expected);
}

/* No call is cancelled in its middle; then the caller's state is back. */
static void calls_restore_the_state_of_cancellation(void **state)
{
    (void)state;
    static const int states[] = {PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ENABLE};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_setcancelstate(states[i], NULL), 0);
        for (size_t threads = 3; threads > 0; threads--) {
            set_threads(threads);
            assert_cancellation(states[i]);
            run_tally(3);
            assert_cancellation(states[i]);
        }
    }
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "threads") == 0)
        return (int)lstm_threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_thread_calls_the_function_once, reset_threads),
        cmocka_unit_test_teardown(a_limit_bounds_the_team, reset_threads),
        cmocka_unit_test_teardown(threads_wait_for_each_other, reset_threads),
        cmocka_unit_test_teardown(more_threads_than_processors_finish, reset_threads),
        cmocka_unit_test_teardown(the_number_changes_between_calls, reset_threads),
        cmocka_unit_test_teardown(a_number_out_of_range_is_refused, reset_threads),
        TEST(ranges_cover_all_items_once),
        cmocka_unit_test_teardown(concurrent_callers_do_not_disturb_each_other,
                                  reset_threads),
        cmocka_unit_test_teardown(the_child_of_a_fork_has_its_own_pool, reset_threads),
        cmocka_unit_test_teardown(workers_use_the_float_mode_of_the_caller,
                                  reset_threads),
        cmocka_unit_test_teardown(workers_block_all_signals, reset_threads),
        cmocka_unit_test_teardown(idle_workers_sleep, reset_threads),
        cmocka_unit_test_teardown(calls_restore_the_state_of_cancellation,
                                  reset_threads),
        TEST(the_environment_gives_the_number),
        TEST(invalid_numbers_in_the_environment_are_ignored),
        TEST(the_affinity_mask_bounds_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
