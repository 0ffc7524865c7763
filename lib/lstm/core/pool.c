/*
 * The pool of threads.
 *
 * A worker looks for work for about 50 microseconds after the last region, then sleeps:
 * a training step has several regions in quick succession, and a caller who does
 * something else is left alone. When there are more threads than processors nobody
 * looks, because that would take the processor from the one that is waited for.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/processors.h"
#include "lib/lstm/core/status.h"

/* A place where threads wait for a counter to move on: first looking, then asleep. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    atomic_uint value;
} gate;

struct lstm_team {
    size_t shares;
    atomic_size_t arrived;
    gate passed;
};

/* Low bits of the start gate: the number of shares. */
enum { SHARE_BITS = 7, SHARE_MASK = (1 << SHARE_BITS) - 1 };

static struct {
    /** Held by the caller whose region runs. */
    pthread_mutex_t region;
    /** Threads that a region may have, 0 before anybody asked; processors there are. */
    atomic_size_t threads;
    size_t processors, started;
    pthread_t workers[LSTM_MAX_THREADS];
    /** Where start was when the workers were started. */
    unsigned origin;
    /** Moves on when a region starts, to a count of regions and the number of its
     * shares, so that a worker that has none never looks at the rest; 0 shares end the
     * workers. */
    gate start;
    /** Moves on when the last worker has left a region. */
    gate finish;
    lstm_work function;
    void *work;
    /** Of the caller: workers round and flush as it does. */
    uint64_t float_mode;
    lstm_team team;
    atomic_size_t running;
} pool = {
    .region = PTHREAD_MUTEX_INITIALIZER,
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

static void gate_open(gate *g, unsigned value)
{
    pthread_mutex_lock(&g->lock);
    atomic_store_explicit(&g->value, value, memory_order_release);
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Looks at the gate for a while; returns where it is, seen when it has not moved. */
static unsigned gate_look(gate *g, unsigned seen)
{
    /* A pause takes 40 to 140 cycles, so the clock says when the time is over. */
    enum { PAUSES = 64, LOOK_NANOSECONDS = 50000 };
    int64_t end = 0, now = 0;
    for (unsigned i = 0; end == 0 || now < end; i++) {
        unsigned value = atomic_load_explicit(&g->value, memory_order_acquire);
        if (value != seen)
            return value;
        if (i % PAUSES == 0) {
            now = nanoseconds();
            end = end ? end : now + LOOK_NANOSECONDS;
        }
        pause_briefly();
    }
    return seen;
}

/* Waits until the gate is no longer at seen; returns where it is. */
static unsigned gate_wait(gate *g, unsigned seen, bool look)
{
    unsigned value = look ? gate_look(g, seen) : seen;
    if (value != seen)
        return value;
    pthread_mutex_lock(&g->lock);
    while (atomic_load_explicit(&g->value, memory_order_acquire) == seen)
        pthread_cond_wait(&g->moved, &g->lock);
    value = atomic_load_explicit(&g->value, memory_order_acquire);
    pthread_mutex_unlock(&g->lock);
    return value;
}

static bool may_look(void)
{
    return atomic_load(&pool.threads) <= pool.processors;
}

void lstm_team_wait(lstm_team *team)
{
    if (team->shares == 1)
        return;
    unsigned seen = atomic_load_explicit(&team->passed.value, memory_order_acquire);
    if (atomic_fetch_add(&team->arrived, 1) + 1 == team->shares) {
        atomic_store(&team->arrived, 0);
        gate_open(&team->passed, seen + 1);
    } else {
        gate_wait(&team->passed, seen, may_look());
    }
}

/* Moves the start gate on to its next region. */
static void start_region(size_t shares)
{
    unsigned region = atomic_load(&pool.start.value) >> SHARE_BITS;
    gate_open(&pool.start, (region + 1) << SHARE_BITS | (unsigned)shares);
}

static void *worker_main(void *argument)
{
    size_t index = (size_t)(uintptr_t)argument;
    unsigned seen = pool.origin;
    for (;;) {
        seen = gate_wait(&pool.start, seen, may_look());
        size_t shares = seen & SHARE_MASK;
        if (shares == 0)
            return NULL;
        if (index >= shares)
            continue;
        lstm_denormals_restore(pool.float_mode);
        pool.function(pool.work, &pool.team, index, shares);
        if (atomic_fetch_sub(&pool.running, 1) == 1)
            gate_open(&pool.finish, atomic_load(&pool.finish.value) + 1);
    }
}

/* Ends the workers. The region lock is held. */
static void stop_workers(void)
{
    if (pool.started == 0)
        return;
    start_region(0);
    for (size_t i = 0; i < pool.started; i++)
        pthread_join(pool.workers[i], NULL);
    pool.started = 0;
}

/* Starts workers until there are count; returns how many there are. */
static size_t start_workers(size_t count)
{
    if (pool.started < count)
        stop_workers();
    /* Ending the old workers has moved the gate: the new ones must not see that. */
    if (pool.started == 0)
        pool.origin = atomic_load(&pool.start.value);
    while (pool.started < count &&
           pthread_create(&pool.workers[pool.started], NULL, worker_main,
                          (void *)(uintptr_t)(pool.started + 1)) == 0)
        pool.started++;
    return pool.started;
}

/* LSTM_NUM_THREADS when it is a number from 1 to 64, else the processors. */
static size_t default_threads(void)
{
    const char *text = getenv("LSTM_NUM_THREADS");
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : 0;
    if (text && *text && *end == '\0' && number >= 1 && number <= LSTM_MAX_THREADS)
        return (size_t)number;
    return pool.processors;
}

/* A process that forks ----------------------------------------------------------------
 */

/* The child has none of the workers: it starts with a fresh pool. */
static void reset_in_child(void)
{
    pool.started = 0;
    pthread_mutex_init(&pool.region, NULL);
    gate *gates[] = {&pool.start, &pool.finish, &pool.team.passed};
    for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
        pthread_mutex_init(&gates[i]->lock, NULL);
        pthread_cond_init(&gates[i]->moved, NULL);
    }
    atomic_store(&pool.team.arrived, 0);
    atomic_store(&pool.running, 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    size_t processors = lstm_usable_processors("");
    pool.processors = processors < LSTM_MAX_THREADS ? processors : LSTM_MAX_THREADS;
    atomic_store(&pool.threads, default_threads());
    pthread_atfork(NULL, NULL, reset_in_child);
}

__attribute__((destructor)) static void tear_down(void)
{
    if (pthread_mutex_trylock(&pool.region) == 0) {
        stop_workers();
        pthread_mutex_unlock(&pool.region);
    }
}

/* The calls ---------------------------------------------------------------------------
 */

size_t lstm_threads(void)
{
    pthread_once(&once, set_up);
    return atomic_load(&pool.threads);
}

lstm_status lstm_set_threads(size_t threads)
{
    if (threads > LSTM_MAX_THREADS)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT,
            "threads: number is %zu, expected 1 to %d, or 0 for the default", threads,
            LSTM_MAX_THREADS);
    pthread_once(&once, set_up);
    pthread_mutex_lock(&pool.region);
    threads = threads ? threads : default_threads();
    if (pool.started > threads - 1)
        stop_workers();
    atomic_store(&pool.threads, threads);
    pthread_mutex_unlock(&pool.region);
    return LSTM_OK;
}

static void run_alone(lstm_work function, void *work)
{
    lstm_team team = {.shares = 1};
    function(work, &team, 0, 1);
}

void lstm_pool_run(lstm_work function, void *work, size_t limit)
{
    size_t shares = lstm_threads() < limit ? lstm_threads() : limit;
    if (shares <= 1 || pthread_mutex_trylock(&pool.region) != 0) {
        run_alone(function, work);
        return;
    }
    /* Threads that cannot be had are done without. */
    size_t workers = start_workers(atomic_load(&pool.threads) - 1);
    shares = workers + 1 < shares ? workers + 1 : shares;
    if (shares <= 1) {
        run_alone(function, work);
    } else {
        pool.function = function;
        pool.work = work;
        pool.float_mode = lstm_float_mode();
        pool.team.shares = shares;
        atomic_store(&pool.running, shares - 1);
        unsigned finished = atomic_load(&pool.finish.value);
        start_region(shares);
        function(work, &pool.team, 0, shares);
        gate_wait(&pool.finish, finished, may_look());
    }
    pthread_mutex_unlock(&pool.region);
}
