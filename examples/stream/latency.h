/**
 * @file
 * Percentiles of latencies in constant memory, to 1%.
 */
#ifndef EXAMPLES_STREAM_LATENCY_H
#define EXAMPLES_STREAM_LATENCY_H

#include <stddef.h>

enum { LATENCY_PER_OCTAVE = 64, LATENCY_OCTAVES = 40 };

/** Number of latencies in intervals of equal ratio, from 2^-10 microseconds. Zero at
 *  first. */
typedef struct latencies {
    size_t counts[LATENCY_PER_OCTAVE * LATENCY_OCTAVES];
    size_t total;
} latencies;

/** The time of a monotonic clock in microseconds. */
double latency_now(void);

/** Adds a latency in microseconds. */
void latency_add(latencies *all, double value);

/** Prints the number of latencies and percentiles to standard error; nothing if there
 *  are none. */
void latency_report(const latencies *all);

#endif
