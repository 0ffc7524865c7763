/**
 * @file
 * Measures the limits of the machine: peak FLOP/s and bandwidth.
 */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include <stddef.h>

#include "tests/bench/limits.h"
#include "tests/bench/measure.h"

/** Work per second of all threads together in a burst of about seconds. */
double limit_measure(const limit *l, size_t threads, double seconds);

/**
 * Combines bursts, given as inverses. With one thread, whose bursts are in CPU time,
 * the result is their median. With several threads it is the best tenth, because other
 * programs may have used a processor during a burst.
 */
double limit_typical(samples *inverse, size_t threads);

/** Combines bursts that take about seconds in total. */
double limit_run(const limit *l, size_t threads, double seconds);

#endif
