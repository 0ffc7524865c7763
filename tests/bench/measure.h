/**
 * @file
 * Clocks and statistics of lstm-bench.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>

/** Repeated measurements of a duration, in seconds. */
typedef struct samples {
    double *values;
    size_t count, capacity;
} samples;

/** Wall-clock time. */
double clock_wall(void);

/** CPU time of this thread. Other programs affect it only through caches and clock
 * rates. */
double clock_cpu(void);

/** Allocates memory aligned to 64 bytes; exits if there is none. */
void *must_allocate(size_t count, size_t size);

void samples_add(samples *s, double seconds);
void samples_clear(samples *s);
void samples_destroy(samples *s);

/** Quantile between 0 and 1; sorts the samples; 0 without samples. */
double samples_quantile(samples *s, double quantile);

static inline double samples_median(samples *s)
{
    return samples_quantile(s, 0.5);
}

/** The 10th percentile: the duration of the work without disturbances. */
static inline double samples_p10(samples *s)
{
    return samples_quantile(s, 0.1);
}

#endif
