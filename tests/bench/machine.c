/* Measures the limits of the machine, in bursts on one or several threads. */
#include <string.h>

#include <lstm/threads.h>

#include "lib/lstm/core/pool.h"
#include "tests/bench/machine.h"
#include "tests/bench/measure.h"

/* A burst on several threads. */
typedef struct {
    const limit *limit;
    size_t rounds;
    float *memory[LSTM_MAX_THREADS];
    size_t threads;
} burst;

static void burst_thread(void *context, lstm_team *team, size_t thread, size_t threads)
{
    (void)team;
    burst *b = context;
    if (thread == 0)
        b->threads = threads;
    b->limit->loop(b->rounds, b->memory[thread]);
}

/* Runs a burst; returns CPU time with one thread, which excludes other programs. */
static double burst_seconds(burst *b, size_t threads)
{
    double wall = clock_wall(), cpu = clock_cpu();
    lstm_pool_run(burst_thread, b, threads);
    return threads == 1 ? clock_cpu() - cpu : clock_wall() - wall;
}

double limit_measure(const limit *l, size_t threads, double seconds)
{
    /* The same buffer for all calls, so that its pages are mapped after the first. */
    static float *memory;
    if (!memory)
        memory = must_allocate(LSTM_MAX_THREADS, LIMIT_BYTES);
    burst b = {.limit = l};
    for (size_t i = 0; i < threads; i++) {
        b.memory[i] = memory + i * LIMIT_BYTES / sizeof(float);
        memset(b.memory[i], 0, l->bytes);
    }
    double elapsed = 0;
    for (b.rounds = 1; elapsed < seconds / 4; b.rounds *= 2)
        elapsed = burst_seconds(&b, threads);
    elapsed = burst_seconds(&b, threads);
    return (double)b.rounds * l->work * (double)b.threads / elapsed;
}

double limit_typical(samples *inverse, size_t threads)
{
    return 1 / (threads == 1 ? samples_median(inverse) : samples_p10(inverse));
}

double limit_run(const limit *l, size_t threads, double seconds)
{
    const double burst_length = 2e-3;
    samples inverse = {0};
    for (double end = clock_wall() + seconds; inverse.count < 3 || clock_wall() < end;)
        samples_add(&inverse, 1 / limit_measure(l, threads, burst_length));
    double typical = limit_typical(&inverse, threads);
    samples_destroy(&inverse);
    return typical;
}
