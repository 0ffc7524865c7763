/**
 * @file
 * The same piece of work again and again, and what its durations say.
 */
#ifndef TESTS_BENCH_SERIES_H
#define TESTS_BENCH_SERIES_H

#include "tests/bench/measure.h"
#include "tests/bench/network.h"
#include "tests/bench/report.h"
#include "tests/bench/suite.h"

/** The samples of one piece of work, and of the peak between them. */
typedef struct series {
    samples wall, cpu, inverse_peak;
} series;

/**
 * Runs work again and again, and every now and then a burst of the peak, so that both
 * see the same clock rates and the same neighbours.
 *
 * @param repeats so often for each sample, of which each is an equal part: for work
 * that is not long beside reading a clock
 */
series series_measure(const plan *p, size_t threads, size_t repeats,
                      void (*work)(network *), network *net);
void series_report(const plan *p, const char *name, const network *net, size_t threads,
                   double flop, series *s);
void series_destroy(series *s);

#endif
