#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/measure.h"
#include "tests/support/ending.h"

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double clock_wall(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_cpu(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void *must_allocate(size_t count, size_t size)
{
    enum { LINE = 64 };
    size_t bytes = (count * size + LINE - 1) / LINE * LINE;
    return ending_unless(aligned_alloc(LINE, bytes ? bytes : LINE));
}

void samples_add(samples *s, double seconds)
{
    /* Drops further samples, to bound memory. */
    enum { MAX_SAMPLES = 1 << 16 };
    if (!s->values) {
        s->values = must_allocate(MAX_SAMPLES, sizeof(double));
        s->capacity = MAX_SAMPLES;
    }
    if (s->count < s->capacity)
        s->values[s->count++] = seconds;
}

void samples_clear(samples *s)
{
    s->count = 0;
}

void samples_destroy(samples *s)
{
    free(s->values);
    *s = (samples){0};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_quantile(samples *s, double quantile)
{
    if (s->count == 0)
        return 0;
    qsort(s->values, s->count, sizeof(double), ascending);
    return s->values[(size_t)(quantile * (double)(s->count - 1) + 0.5)];
}
