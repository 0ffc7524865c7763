/* The pool of threads: shares, barriers, callers at once, processes that fork. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lstm/threads.h>

#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/pool.h"
#include "tests/support/test.h"

#if defined(__SANITIZE_THREAD__)
/* The child of the test of fork starts threads, which the sanitizer else refuses. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

enum { MOST = 16, ROUNDS = 20 };

/* A region that counts: how often each share ran, and in how many they were. */
typedef struct {
    atomic_size_t runs[LSTM_MAX_THREADS];
    atomic_size_t shares;
} tally;

static void count_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    (void)team;
    tally *t = work;
    atomic_fetch_add(&t->runs[share], 1);
    atomic_store(&t->shares, shares);
}

/* Runs a region that counts; each share of those there were has run once. */
static size_t run_tally(size_t limit)
{
    tally t = {0};
    lstm_pool_run(count_share, &t, limit);
    size_t shares = atomic_load(&t.shares);
    for (size_t i = 0; i < LSTM_MAX_THREADS; i++)
        assert_int_equal(atomic_load(&t.runs[i]), i < shares ? 1 : 0);
    return shares;
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

static void every_share_runs_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        set_threads(threads);
        for (int round = 0; round < ROUNDS; round++)
            assert_int_equal(run_tally(LSTM_MAX_THREADS), threads);
    }
}

static void a_limit_bounds_the_shares(void **state)
{
    (void)state;
    set_threads(8);
    for (size_t limit = 1; limit <= 12; limit++)
        assert_int_equal(run_tally(limit), limit < 8 ? limit : 8);
}

/* Each share writes its place, waits, and reads that of all others. */
typedef struct {
    size_t places[LSTM_MAX_THREADS], wrong[LSTM_MAX_THREADS];
} relay;

static void pass_on(void *work, lstm_team *team, size_t share, size_t shares)
{
    relay *r = work;
    for (size_t lap = 1; lap <= ROUNDS; lap++) {
        r->places[share] = lap;
        lstm_team_wait(team);
        for (size_t i = 0; i < shares; i++)
            r->wrong[share] += r->places[i] != lap;
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

static void shares_wait_for_each_other(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= MOST; threads++) {
        set_threads(threads);
        run_relay();
    }
}

static void more_threads_than_processors_come_to_an_end(void **state)
{
    (void)state;
    set_threads(LSTM_MAX_THREADS);
    assert_int_equal(run_tally(LSTM_MAX_THREADS), LSTM_MAX_THREADS);
    run_relay();
}

static void the_number_goes_up_and_down_between_regions(void **state)
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

static void share_starts_cover_all_items_once(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 40; count++)
        for (size_t unit = 1; unit <= 5; unit++)
            for (size_t shares = 1; shares <= 9; shares++) {
                assert_int_equal(lstm_share_start(count, unit, 0, shares), 0);
                assert_int_equal(lstm_share_start(count, unit, shares, shares), count);
                for (size_t share = 0; share < shares; share++) {
                    size_t start = lstm_share_start(count, unit, share, shares);
                    assert_true(start <=
                                lstm_share_start(count, unit, share + 1, shares));
                    assert_true(start == count || start % unit == 0);
                }
            }
}

/* Callers of the pool that do not know each other. */
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

static void callers_at_once_do_not_disturb_each_other(void **state)
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

/* Status of a child that ends by itself; one that hangs is ended by its alarm. */
static int status_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Shares of a region, without assertions: in a child there is nobody to report to. */
static int count_shares(void)
{
    tally t = {0};
    lstm_pool_run(count_share, &t, LSTM_MAX_THREADS);
    return (int)atomic_load(&t.shares);
}

enum { PATIENCE = 20 };

static void the_child_of_a_fork_has_a_pool_of_its_own(void **state)
{
    (void)state;
    set_threads(4);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(run_tally(LSTM_MAX_THREADS), 4);
        pid_t child = fork();
        if (child == 0) {
            alarm(PATIENCE);
            int shares = count_shares();
            _exit(shares == count_shares() ? shares : 99);
        }
        assert_int_equal(run_tally(LSTM_MAX_THREADS), 4);
        assert_int_equal(status_of(child), 4);
    }
}

/* What lstm_threads() is in a new process with this variable, on so many processors
 * (0: as they are). */
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

static void nonsense_in_the_environment_counts_for_nothing(void **state)
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

/* Each share halves a number that is too small for it when denormal numbers are off. */
static void halve(void *work, lstm_team *team, size_t share, size_t shares)
{
    (void)team;
    (void)shares;
    volatile float *numbers = work;
    numbers[share] = numbers[share] / 2;
}

static void workers_flush_as_the_caller_does(void **state)
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

/* A worker that went on looking for work would use all of the time. */
static void idle_workers_are_asleep(void **state)
{
    (void)state;
    set_threads(2);
    run_tally(2);
    double before = processor_seconds();
    usleep(200000);
    assert_true(processor_seconds() - before < 0.05);
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "threads") == 0)
        return (int)lstm_threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_share_runs_once, reset_threads),
        cmocka_unit_test_teardown(a_limit_bounds_the_shares, reset_threads),
        cmocka_unit_test_teardown(shares_wait_for_each_other, reset_threads),
        cmocka_unit_test_teardown(more_threads_than_processors_come_to_an_end,
                                  reset_threads),
        cmocka_unit_test_teardown(the_number_goes_up_and_down_between_regions,
                                  reset_threads),
        cmocka_unit_test_teardown(a_number_out_of_range_is_refused, reset_threads),
        TEST(share_starts_cover_all_items_once),
        cmocka_unit_test_teardown(callers_at_once_do_not_disturb_each_other,
                                  reset_threads),
        cmocka_unit_test_teardown(the_child_of_a_fork_has_a_pool_of_its_own,
                                  reset_threads),
        cmocka_unit_test_teardown(workers_flush_as_the_caller_does, reset_threads),
        cmocka_unit_test_teardown(idle_workers_are_asleep, reset_threads),
        TEST(the_environment_gives_the_number),
        TEST(nonsense_in_the_environment_counts_for_nothing),
        TEST(the_affinity_mask_bounds_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
