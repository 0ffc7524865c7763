/**
 * @file
 * The measurements of lstm-bench.
 */
#ifndef TESTS_BENCH_SUITE_H
#define TESTS_BENCH_SUITE_H

#include "tests/bench/report.h"

/** Parameters of a measurement; each takes about seconds. */
typedef struct plan {
    double seconds;
    /** Outputs of the head. */
    size_t outputs;
    lstm_precision precision;
    /** Whether to report the quantiles of single calls of a stream, too. */
    bool latency;
    report *report;
} plan;

/** The experiment: 64 sequences of 28 steps of 28 inputs, 128 hidden units, 2 layers.
 */
extern const shape experiment;

/** Shapes of the sweep; the last entry has the batch 0. */
extern const shape sweep_shapes[];

void measure_limits(const plan *p, size_t threads);

/** A training step and, optionally, its phases. */
void measure_training(const plan *p, const shape *s, size_t threads, bool phases);

void measure_inference(const plan *p, const shape *s, size_t threads);

/** One call of a stream with a head, of one or more steps; compared with reading the
 *  weights once from the L2 cache. */
void measure_streaming(const plan *p, const shape *s, size_t threads);

/** Forward and backward with gradients of all outputs, for lengths uniform in 1 to T
 *  ("lengths"), or all equal to T ("padded"). */
void measure_lengths(const plan *p, const shape *s, size_t threads, bool lengths);

/** Loading one batch of images: gathering and normalisation. */
void measure_loader(const plan *p, const shape *s);

/** One Adam step, compared with reading and writing its memory once. */
void measure_optimiser(const plan *p, const shape *s, size_t threads);

#endif
