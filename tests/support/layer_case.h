/**
 * @file
 * A layer with all its input and output tensors, filled from a seed.
 */
#ifndef TESTS_SUPPORT_LAYER_CASE_H
#define TESTS_SUPPORT_LAYER_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "tests/support/reference.h"

/** Options of a case. */
typedef struct layer_options {
    lstm_layer_config config;
    size_t steps, batch;
    /** [N], or NULL for full length. Not owned. */
    const size_t *lengths;
    /** Seed of weights, masks and all values. */
    uint64_t seed;
    /** Whether the calls get these tensors, or NULL. */
    bool h0, c0, dout, dhn, dcn;
} layer_options;

/** A case. All tensors exist, whether they are used or not. */
typedef struct layer_case {
    layer_options options;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_params *params;
    lstm_tensor *x, *h0, *c0, *out, *hn, *cn;
    lstm_tensor *dout, *dhn, *dcn, *dx, *dh0, *dc0;
    /** State of the generator before the last forward. */
    uint8_t rng_state[LSTM_RNG_STATE_SIZE];
} layer_case;

/** Number of cases in the spread, and the largest batch in it. */
enum { LAYER_CASE_SPREAD = 7, LAYER_CASE_MAX_BATCH = 40 };

/** Options of case i of a spread of sizes and options. All inputs and gradients are
 * used; the precision is test_precision(). */
layer_options layer_case_options(size_t i, uint64_t seed);

/** Creates case i of the spread; NULL after the last. */
layer_case *layer_case_spread(size_t i, uint64_t seed);

/** Creates a case with random values in [-1, 1); a failure fails the test. */
layer_case *layer_case_create(const layer_options *options);

void layer_case_destroy(layer_case *c);

/** Runs the forward. */
lstm_status layer_case_forward(layer_case *c);

/** Runs the backward; computes dx, dh0 and dc0. */
lstm_status layer_case_backward(layer_case *c);

/** Run forward and backward with a tape. */
lstm_status layer_case_forward_tape(layer_case *c, lstm_tape *tape);
lstm_status layer_case_backward_tape(layer_case *c, lstm_tape *tape);

/** Zeroes the gradients and runs forward and backward; a failure fails the test. */
void layer_case_run(layer_case *c);

/** The reference network of a case; the caller sets its parameters. */
reference_lstm layer_case_net(const layer_case *c);

/**
 * Hash of the bits of out, hn, cn, dx, dh0, dc0 and all gradients of parameters.
 */
uint64_t layer_case_hash(const layer_case *c);

/**
 * Tolerance of a float32 result, relative to the larger of 1 and the largest element of
 * the tensor.
 *
 * A value passes at most L T cells in the forward and as many in the backward. In each,
 * it is rounded in sums of I, S (or P) and 4 H products and in about 32 other
 * operations. Roundings of at most 2^-24 of terms of order 1 accumulate like a random
 * walk of that many steps. Eight times its expected length is practically never reached
 * by chance, and any wrong term exceeds it.
 */
double layer_case_tolerance(const layer_options *options);

/** Elements as doubles, row-major; swap exchanges the first two axes. */
double *layer_case_doubles(const lstm_tensor *tensor, bool swap);

/** Fills a tensor with random values in [-1, 1). */
void layer_case_fill(lstm_tensor *tensor, uint64_t *seed);

/** Creates a tensor of rank 3; a failure fails the test. */
lstm_tensor *layer_case_tensor(size_t a, size_t b, size_t c);

/** Fails the calling line unless two tensors have the same shape and bits. */
#define assert_same_bits(a, b) layer_case_assert_same_bits(a, b, __FILE__, __LINE__)

void layer_case_assert_same_bits(const lstm_tensor *a, const lstm_tensor *b,
                                 const char *file, int line);

#endif
