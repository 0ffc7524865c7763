/**
 * @file
 * Clocks and statistics of lstm-bench.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>

/** Durations of the same piece of work, in seconds. */
typedef struct samples {
    double *values;
    size_t count, capacity;
} samples;

/** Time of the world. */
double clock_wall(void);

/** Time that this thread has computed: on a machine that others use as well, what one
 * thread alone would have needed, as far as caches and clock rates allow. */
double clock_cpu(void);

/** Ends the program: memory is out. */
void *must_allocate(size_t count, size_t size);

void samples_add(samples *s, double seconds);
void samples_clear(samples *s);
void samples_destroy(samples *s);

/** Quantile, 0 to 1, by sorting; 0 without samples. */
double samples_quantile(samples *s, double quantile);

static inline double samples_median(samples *s)
{
    return samples_quantile(s, 0.5);
}

/** One in ten was at most this long: what the work takes when nobody disturbs. */
static inline double samples_p10(samples *s)
{
    return samples_quantile(s, 0.1);
}

#endif
