/*
 * The thread pool.
 *
 * A worker spins for about 50 microseconds after a parallel call, then sleeps. It spins
 * because a training step has several parallel calls in quick succession. It sleeps
 * because a program with other work needs the processor. With more threads than
 * processors no thread spins, because it would occupy the processor of the thread that
 * it waits for.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/common/extremes.h"
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/processors.h"
#include "lib/lstm/core/shake.h"
#include "lib/lstm/core/status.h"

/* A value. Threads can wait until it changes: they spin first, then sleep. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_uint value;
} event;

struct lstm_team {
    size_t threads;
    atomic_size_t arrived;
    event passed;
};

/* The low bits of the start event are the number of threads of the team. */
enum { THREAD_BITS = 7, THREAD_MASK = (1 << THREAD_BITS) - 1 };

static struct {
    /** Held by the caller whose parallel call runs. */
    pthread_mutex_t call;
    /** Maximum number of threads of a team, 0 before the first use; number of usable
     * processors; number of running workers. */
    atomic_size_t threads;
    size_t processors, started;
    pthread_t workers[LSTM_MAX_THREADS];
    /** The value of start when the workers were created. */
    unsigned origin;
    /** Set when a parallel call starts, to the number of calls so far and the number of
     * threads of the team. A worker that is not in the team reads no other field. 0
     * threads end the workers. */
    event start;
    /** Set when the last worker has returned from the function. */
    event finish;
    lstm_team_function function;
    void *context;
    /** The caller's modes of rounding and denormal numbers, which workers use, too. */
    uint64_t float_mode;
    lstm_team team;
    atomic_size_t running;
} pool = {
    .call = PTHREAD_MUTEX_INITIALIZER,
    .start = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
    .finish = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
    .team.passed = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
};

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void event_set(event *e, unsigned value)
{
    lstm_shake();
    pthread_mutex_lock(&e->lock);
    atomic_store_explicit(&e->value, value, memory_order_release);
    pthread_cond_broadcast(&e->changed);
    lstm_shake();
    pthread_mutex_unlock(&e->lock);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Spins for some time until the value differs from seen; returns the value. */
static unsigned event_spin(event *e, unsigned seen)
{
    /* A pause takes 40 to 140 cycles, so the clock decides when to stop. */
    enum { PAUSES = 64, SPIN_NANOSECONDS = 50000 };
    int64_t end = 0, now = 0;
    for (unsigned i = 0; end == 0 || now < end; i++) {
        unsigned value = atomic_load_explicit(&e->value, memory_order_acquire);
        if (value != seen)
            return value;
        if (i % PAUSES == 0) {
            now = nanoseconds();
            end = end ? end : now + SPIN_NANOSECONDS;
        }
        pause_briefly();
    }
    return seen;
}

/* Waits until the value differs from seen; returns the value. */
static unsigned event_wait(event *e, unsigned seen, bool spin)
{
    lstm_shake();
    unsigned value = spin ? event_spin(e, seen) : seen;
    if (value != seen)
        return value;
    lstm_shake();
    pthread_mutex_lock(&e->lock);
    while (atomic_load_explicit(&e->value, memory_order_acquire) == seen)
        pthread_cond_wait(&e->changed, &e->lock);
    value = atomic_load_explicit(&e->value, memory_order_acquire);
    pthread_mutex_unlock(&e->lock);
    return value;
}

static bool may_spin(void)
{
    return atomic_load(&pool.threads) <= pool.processors;
}

void lstm_team_wait(lstm_team *team)
{
    if (team->threads == 1)
        return;
    unsigned seen = atomic_load_explicit(&team->passed.value, memory_order_acquire);
    lstm_shake();
    if (atomic_fetch_add(&team->arrived, 1) + 1 == team->threads) {
        atomic_store(&team->arrived, 0);
        lstm_shake();
        event_set(&team->passed, seen + 1);
    } else {
        event_wait(&team->passed, seen, may_spin());
    }
}

/* Wakes the workers for the next parallel call. */
static void start_call(size_t threads)
{
    unsigned calls = atomic_load(&pool.start.value) >> THREAD_BITS;
    event_set(&pool.start, (calls + 1) << THREAD_BITS | (unsigned)threads);
}

static void *worker_main(void *argument)
{
    size_t thread = (size_t)(uintptr_t)argument;
    unsigned seen = pool.origin;
    for (;;) {
        seen = event_wait(&pool.start, seen, may_spin());
        size_t threads = seen & THREAD_MASK;
        if (threads == 0)
            return NULL;
        if (thread >= threads)
            continue;
        lstm_shake();
        lstm_denormals_restore(pool.float_mode);
        pool.function(pool.context, &pool.team, thread, threads);
        lstm_shake();
        if (atomic_fetch_sub(&pool.running, 1) == 1)
            event_set(&pool.finish, atomic_load(&pool.finish.value) + 1);
    }
}

/* Ends the workers. The caller holds the lock of the call. */
static void stop_workers(void)
{
    if (pool.started == 0)
        return;
    start_call(0);
    for (size_t i = 0; i < pool.started; i++)
        pthread_join(pool.workers[i], NULL);
    pool.started = 0;
}

/* Creates workers until count workers run or the system refuses one. */
static void create_workers(size_t count)
{
    /* Threads inherit the signal mask. The program's signals are not for workers: a
     * handler would run on a thread that the program does not know. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.started < count &&
           pthread_create(&pool.workers[pool.started], NULL, worker_main,
                          (void *)(uintptr_t)(pool.started + 1)) == 0)
        pool.started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Makes sure that count workers run, if possible; returns how many run. */
static size_t start_workers(size_t count)
{
    if (pool.started >= count)
        return pool.started;
    stop_workers();
    /* Ending the old workers has set the event. The new workers must not react to this
     * value. */
    pool.origin = atomic_load(&pool.start.value);
    create_workers(count);
    return pool.started;
}

/* LSTM_NUM_THREADS if it is a number from 1 to 64, else the number of processors. */
static size_t default_threads(void)
{
    const char *text = getenv("LSTM_NUM_THREADS");
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : 0;
    if (text && *text && *end == '\0' && number >= 1 && number <= LSTM_MAX_THREADS)
        return (size_t)number;
    return pool.processors;
}

/* Fork --------------------------------------------------------------------------------
 */

/* Workers do not exist in the child: it starts with a new pool. */
static void reset_in_child(void)
{
    pool.started = 0;
    pthread_mutex_init(&pool.call, NULL);
    event *events[] = {&pool.start, &pool.finish, &pool.team.passed};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        pthread_mutex_init(&events[i]->lock, NULL);
        pthread_cond_init(&events[i]->changed, NULL);
    }
    atomic_store(&pool.team.arrived, 0);
    atomic_store(&pool.running, 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    size_t processors = lstm_usable_processors("");
    pool.processors = common_smaller(processors, LSTM_MAX_THREADS);
    atomic_store(&pool.threads, default_threads());
    pthread_atfork(NULL, NULL, reset_in_child);
}

__attribute__((destructor)) static void tear_down(void)
{
    if (pthread_mutex_trylock(&pool.call) == 0) {
        stop_workers();
        pthread_mutex_unlock(&pool.call);
    }
}

/* Calls -------------------------------------------------------------------------------
 */

size_t lstm_threads(void)
{
    pthread_once(&once, set_up);
    return atomic_load(&pool.threads);
}

/*
 * A cancelled thread ends only at the end of its call. If it ended where it waits for
 * workers, they would go on with memory that its cleanup frees, and the lock of the
 * call would never be released.
 */
static int hold_cancellation(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static void release_cancellation(int before)
{
    pthread_setcancelstate(before, &before);
}

lstm_status lstm_set_threads(size_t threads)
{
    if (threads > LSTM_MAX_THREADS)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT,
            "threads: number is %zu, expected 1 to %d, or 0 for the default", threads,
            LSTM_MAX_THREADS);
    pthread_once(&once, set_up);
    int cancellation = hold_cancellation();
    pthread_mutex_lock(&pool.call);
    threads = threads ? threads : default_threads();
    if (pool.started > threads - 1)
        stop_workers();
    atomic_store(&pool.threads, threads);
    pthread_mutex_unlock(&pool.call);
    release_cancellation(cancellation);
    return LSTM_OK;
}

static void run_alone(lstm_team_function function, void *context)
{
    lstm_team team = {.threads = 1};
    function(context, &team, 0, 1);
}

/* Runs a team of workers and the calling thread, which holds the lock of the call. */
static void run_team(lstm_team_function function, void *context, size_t threads)
{
    pool.function = function;
    pool.context = context;
    pool.float_mode = lstm_float_mode();
    pool.team.threads = threads;
    atomic_store(&pool.running, threads - 1);
    unsigned finished = atomic_load(&pool.finish.value);
    start_call(threads);
    lstm_shake();
    function(context, &pool.team, 0, threads);
    event_wait(&pool.finish, finished, may_spin());
}

void lstm_pool_run(lstm_team_function function, void *context, size_t limit)
{
    size_t threads = common_smaller(lstm_threads(), limit);
    int cancellation = hold_cancellation();
    if (threads <= 1 || pthread_mutex_trylock(&pool.call) != 0) {
        run_alone(function, context);
        release_cancellation(cancellation);
        return;
    }
    /* When the system refuses threads, the team is smaller. */
    size_t workers = start_workers(atomic_load(&pool.threads) - 1);
    threads = common_smaller(workers + 1, threads);
    if (threads > 1)
        run_team(function, context, threads);
    else
        run_alone(function, context);
    pthread_mutex_unlock(&pool.call);
    release_cancellation(cancellation);
}
