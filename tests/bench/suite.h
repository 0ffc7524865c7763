/**
 * @file
 * What lstm-bench measures.
 */
#ifndef TESTS_BENCH_SUITE_H
#define TESTS_BENCH_SUITE_H

#include "tests/bench/report.h"

/** How: each measurement takes about so many seconds. */
typedef struct plan {
    double seconds;
    lstm_precision precision;
    report *report;
} plan;

/** The experiment: 64 sequences of 28 steps of 28 inputs, 128 hidden units, 2 layers.
 */
extern const shape experiment;

/** Shapes of the sweep; ends with a batch of 0. */
extern const shape sweep_shapes[];

void measure_limits(const plan *p, size_t threads);

/** A training step as a whole, and with phases also what it consists of. */
void measure_training(const plan *p, const shape *s, size_t threads, bool phases);

void measure_inference(const plan *p, const shape *s, size_t threads);

/** One step of a stream with a head, beside reading its weights once from the second
 *  level cache. */
void measure_streaming(const plan *p, const shape *s, size_t threads);

/** Forward and backward from the gradient of every output; with lengths uniform in 1 to
 *  T ("lengths"), or all of T ("padded"). */
void measure_lengths(const plan *p, const shape *s, size_t threads, bool lengths);

/** Gathering and normalising one batch of images. */
void measure_loader(const plan *p, const shape *s);

/** One Adam step of so many values, beside reading and writing their memory once. */
void measure_optimiser(const plan *p, const shape *s, size_t threads);

#endif
