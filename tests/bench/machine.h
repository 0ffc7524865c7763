/**
 * @file
 * What the machine can do: multiply-adds and bytes per second.
 */
#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/measure.h"

/** A loop of one kind of instruction that runs at the limit of the processor. */
typedef struct limit {
    const char *name, *unit;
    bool (*available)(void);
    /** Runs so many rounds over memory that belongs to the thread; all others ignore
     *  it. */
    void (*loop)(size_t rounds, const float *memory);
    /** Floating-point operations or bytes of a round, and bytes of memory. */
    double work;
    size_t bytes;
} limit;

/** All of them; ends with a name of NULL. */
extern const limit limits[];

/** The peak of a set of kernels of the library, in bfloat16 where it has that; never
 *  NULL. */
const limit *limit_of_kernels(const char *name, bool bf16);

/** Work per second of all threads together during a burst of about so many seconds. */
double limit_measure(const limit *l, size_t threads, double seconds);

/**
 * What bursts say together, from the inverse of each: their median on one thread, which
 * is in its own time; on more the best tenth, because a burst in which other programs
 * took a processor says nothing about the machine.
 */
double limit_typical(samples *inverse, size_t threads);

/** The same of bursts that last about so many seconds together. */
double limit_run(const limit *l, size_t threads, double seconds);

/** Name of the processor for people; a string of this file. */
const char *machine_name(void);

/** Processors that the process may use. */
size_t machine_processors(void);

#endif
