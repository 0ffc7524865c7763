/**
 * @file
 * The machine: loops that reach its limits, its name and its processors.
 */
#ifndef TESTS_BENCH_LIMITS_H
#define TESTS_BENCH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

/** Largest number of bytes of memory of a limit. */
enum { LIMIT_BYTES = 512 << 10 };

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

/** Name of the processor; a static string. */
const char *machine_name(void);

/** Processors that the process may use. */
size_t machine_processors(void);

#endif
