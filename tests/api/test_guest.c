/*
 * The library is a guest in its process: no thread before one is needed, no signal
 * taken, small stacks possible, cancelled threads harmless.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/support/test.h"

enum { INPUTS = 16, HIDDEN = 64, STEPS = 12, BATCH = 32, WORKERS = 3 };

/* The address sanitizer needs more. */
#if defined(__SANITIZE_ADDRESS__)
enum { SMALL_STACK = 1 << 20 };
#else
enum { SMALL_STACK = 64 << 10 };
#endif

/* What a forward and a backward need. */
typedef struct task {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_tensor *x, *out;
} task;

static task create_task(void)
{
    task t;
    const size_t in[] = {STEPS, BATCH, INPUTS}, out[] = {STEPS, BATCH, HIDDEN};
    assert_int_equal(lstm_rng_create(&t.rng, 1), LSTM_OK);
    assert_int_equal(
        lstm_layer_create(
            &t.layer, &(lstm_layer_config){.inputs = INPUTS, .hidden = HIDDEN}, t.rng),
        LSTM_OK);
    assert_int_equal(lstm_tensor_create(&t.x, 3, in), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&t.out, 3, out), LSTM_OK);
    return t;
}

static void destroy_task(task *t)
{
    lstm_tensor_destroy(&t->out);
    lstm_tensor_destroy(&t->x);
    lstm_layer_destroy(&t->layer);
    lstm_rng_destroy(&t->rng);
}

static lstm_status run(task *t)
{
    lstm_status status =
        lstm_layer_forward(t->layer, NULL, t->x, NULL, NULL, NULL, t->out, NULL, NULL);
    return status ? status
                  : lstm_layer_backward(t->layer, NULL, t->out, NULL, NULL, NULL, NULL,
                                        NULL);
}

static size_t threads_of_process(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* The first test: the process has done nothing else. */
static void threads_start_when_a_call_needs_them(void **state)
{
    (void)state;
    size_t before = threads_of_process();
    assert_int_equal(lstm_set_threads(1), LSTM_OK);
    task t = create_task();
    assert_int_equal(run(&t), LSTM_OK);
    assert_int_equal(threads_of_process(), before);
    assert_int_equal(lstm_set_threads(1 + WORKERS), LSTM_OK);
    assert_int_equal(threads_of_process(), before);
    assert_int_equal(run(&t), LSTM_OK);
    assert_int_equal(threads_of_process(), before + WORKERS);
    assert_int_equal(lstm_set_threads(1), LSTM_OK);
    assert_int_equal(threads_of_process(), before);
    destroy_task(&t);
    /* A thread sanitizer has one of its own. */
    assert_true(before <= 2);
}

static void *run_once(void *argument)
{
    return run(argument) ? "failed" : NULL;
}

static void a_thread_with_a_small_stack_starts(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    task t = create_task();
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_once, &t), 0);
    pthread_join(thread, &result);
    assert_null(result);
    pthread_attr_destroy(&attributes);
    destroy_task(&t);
}

/* A host that waits for a signal, which no worker may take. */
static _Noreturn void wait_for_signal(void)
{
    sigset_t set;
    int found = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    task t = create_task();
    lstm_set_threads(1 + WORKERS);
    bool done = run(&t) == LSTM_OK;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; done && i < 20; i++) {
        kill(getpid(), SIGTERM);
        done = run(&t) == LSTM_OK && sigwait(&set, &found) == 0 && found == SIGTERM;
    }
    _exit(done ? 0 : 1);
}

static void no_worker_takes_a_signal_of_the_host(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        wait_for_signal();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static atomic_bool running, stop;

/* Runs until the thread is cancelled or all are told to stop. */
static void *run_again(void *argument)
{
    while (!atomic_load(&stop)) {
        if (run(argument))
            return "failed";
        atomic_store(&running, true);
        pthread_testcancel();
    }
    return NULL;
}

/* Cancels threads in the middle of calls while another one computes. */
static void cancelled_threads_harm_no_other(void **state)
{
    (void)state;
    enum { ROUNDS = 50 };
    pthread_t other, cancelled;
    void *result;
    task t = create_task(), mine = create_task();
    assert_int_equal(lstm_set_threads(1 + WORKERS), LSTM_OK);
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&other, NULL, run_again, &mine), 0);
    for (int i = 0; i < ROUNDS; i++) {
        atomic_store(&running, false);
        assert_int_equal(pthread_create(&cancelled, NULL, run_again, &t), 0);
        while (!atomic_load(&running))
            sched_yield();
        usleep((unsigned)(i * 37 % 1000));
        pthread_cancel(cancelled);
        pthread_join(cancelled, &result);
        assert_true(result == PTHREAD_CANCELED);
        destroy_task(&t);
        t = create_task();
        assert_int_equal(run(&t), LSTM_OK);
    }
    atomic_store(&stop, true);
    pthread_join(other, &result);
    assert_null(result);
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
    assert_int_equal(run(&t), LSTM_OK);
    destroy_task(&t);
    destroy_task(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_start_when_a_call_needs_them),
        TEST(a_thread_with_a_small_stack_starts),
        TEST(no_worker_takes_a_signal_of_the_host),
        TEST(cancelled_threads_harm_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
