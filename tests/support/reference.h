/**
 * @file
 * A simple double-precision implementation of the forward of torch.nn.LSTM.
 *
 * Tests compare float32 results with it. Golden data of PyTorch verify it, and central
 * differences of it provide gradients without a derivation.
 */
#ifndef TESTS_SUPPORT_REFERENCE_H
#define TESTS_SUPPORT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sizes and weights. D = directions; S = projection, or hidden if projection is 0. */
typedef struct reference_lstm {
    size_t inputs, hidden, layers, projection, directions;
    bool bias;
    /** All parameters, concatenated in PyTorch's order. */
    const double *parameters;
} reference_lstm;

/** Inputs of a forward; all arrays are time-major. */
typedef struct reference_input {
    size_t steps, batch;
    /** [N] lengths of the sequences, or NULL for full length. */
    const size_t *lengths;
    /** [T, N, I]. */
    const double *x;
    /** [L*D, N, S] and [L*D, N, H], or NULL for zeros. */
    const double *h0, *c0;
    /** [L-1, T, N, D*S] dropout masks, or NULL for no dropout. */
    const double *masks;
    /** Output: [L*D, T, N, 4*H] gates i, f, g, o of the valid steps, or NULL. */
    double *gates;
} reference_input;

/** S, the size of h. */
size_t reference_state_size(const reference_lstm *net);

/** Number of parameters of one direction of a layer. */
size_t reference_cell_parameters(const reference_lstm *net, size_t layer);

/** Number of all parameters. */
size_t reference_parameters(const reference_lstm *net);

/**
 * Computes out, [T, N, D*S], with zeros after the end of a sequence; hn, [L*D, N, S];
 * and cn, [L*D, N, H].
 */
void reference_forward(const reference_lstm *net, const reference_input *input,
                       double *out, double *hn, double *cn);

/** A function that draws 64 bits from a generator. */
typedef uint64_t (*reference_draw)(void *generator);

/**
 * Draws dropout masks, [L-1, T, N, D*S], as PyTorch does: one draw per valid element of
 * each layer except the last, in time-major order. With lengths, the order is that of
 * packed data, with the longer sequences first in each step.
 */
void reference_masks(const reference_lstm *net, const reference_input *input,
                     double probability, reference_draw draw, void *generator,
                     double *masks);

#endif
