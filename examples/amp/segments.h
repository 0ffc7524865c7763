/**
 * @file
 * Updates of a network on batches of segments.
 */
#ifndef EXAMPLES_AMP_SEGMENTS_H
#define EXAMPLES_AMP_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/amp/network.h"
#include "examples/amp/options.h"
#include "examples/amp/pair.h"

/** Tensors of one number of steps: x, y and dy [T, N, 1], out and dout [T, N, H]. */
typedef struct chunk {
    size_t steps;
    lstm_tensor *x, *y, *dy, *out, *dout;
} chunk;

/** The training part of a pair, and memory for its epochs; zero at first. */
typedef struct segments {
    network *net;
    const pair *sounds;
    /** Samples of the training part. */
    size_t samples;
    /** Number of segments, their samples, and how many a batch has. */
    size_t count, length, rows, batches;
    /** Samples of the warm-up. */
    size_t warm_up;
    /** [count] random order. */
    int64_t *order;
    /** [1, N, H] states between chunks. */
    lstm_tensor *h, *c;
    chunk warm, full, tail;
    /** [T, N] of a chunk, and [N]. */
    float *targets;
    double *means;
} segments;

/** Prepares epochs over the first samples of a pair; false after an error message.
 *  segments_destroy() is needed in any case. */
bool segments_create(segments *all, network *net, const pair *sounds, size_t samples,
                     const amp_options *options);

/** Frees the members. */
void segments_destroy(segments *all);

/** Trains on all segments once. loss: the mean over the updates. False after an error
 *  message. */
bool segments_epoch(segments *all, lstm_rng *rng, double *loss);

#endif
