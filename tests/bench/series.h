/**
 * @file
 * Repeated measurement of a workload.
 */
#ifndef TESTS_BENCH_SERIES_H
#define TESTS_BENCH_SERIES_H

#include "tests/bench/measure.h"
#include "tests/bench/network.h"
#include "tests/bench/report.h"
#include "tests/bench/suite.h"

/** Samples of a workload, and of the peak measured in between. */
typedef struct series {
    samples wall, cpu, inverse_peak;
} series;

/**
 * Runs a workload repeatedly, with bursts of the peak in between, so that both see the
 * same clock rates and the same load from other programs.
 *
 * @param repeats number of runs per sample, for a workload that is short compared with
 * reading a clock; the sample is their mean
 */
series series_measure(const plan *p, size_t threads, size_t repeats,
                      void (*work)(network *), network *net);
void series_report(const plan *p, const char *name, const network *net, size_t threads,
                   double flop, series *s);
void series_destroy(series *s);

#endif
