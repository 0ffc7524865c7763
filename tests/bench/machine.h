/**
 * @file
 * The limits of the machine: peak FLOP/s and bandwidth.
 */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/measure.h"

/** A loop of one kind of instruction that reaches a limit of the processor. */
typedef struct limit {
    const char *name, *unit;
    bool (*available)(void);
    /** Runs rounds iterations. memory is private to the thread; only loads use it. */
    void (*loop)(size_t rounds, const float *memory);
    /** Floating-point operations or bytes per round, and bytes of memory. */
    double work;
    size_t bytes;
} limit;

/** All limits; the last entry has the name NULL. */
extern const limit limits[];

/** The peak FLOP/s of a set of kernels, in bfloat16 if bf16 is set and the set has it;
 *  never NULL. */
const limit *limit_of_kernels(const char *name, bool bf16);

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

/** Name of the processor; a static string. */
const char *machine_name(void);

/** Processors that the process may use. */
size_t machine_processors(void);

#endif
