/**
 * @file
 * The forward of torch.nn.LSTM in double precision, written for being read.
 *
 * It is what float32 results and gradients are judged by: golden data of PyTorch show
 * that it is right, central differences of it give gradients that nobody derived.
 */
#ifndef TESTS_SUPPORT_REFERENCE_H
#define TESTS_SUPPORT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sizes and weights. D = directions, S = projection or, when that is 0, hidden. */
typedef struct reference_lstm {
    size_t inputs, hidden, layers, projection, directions;
    bool bias;
    /** All parameters in PyTorch's order, one after another. */
    const double *parameters;
} reference_lstm;

/** What goes in; everything is time-major. */
typedef struct reference_input {
    size_t steps, batch;
    /** [N] valid steps of each sequence, or NULL for all of them. */
    const size_t *lengths;
    /** [T, N, I]. */
    const double *x;
    /** [L*D, N, S] and [L*D, N, H], or NULL for zeros. */
    const double *h0, *c0;
    /** [L-1, T, N, D*S] factors of dropout, or NULL for none. */
    const double *masks;
    /** Output: [L*D, T, N, 4*H] gates i, f, g, o of the valid steps, or NULL. */
    double *gates;
} reference_input;

/** S, the size of h. */
size_t reference_state_size(const reference_lstm *net);

/** Number of parameters of a layer and direction. */
size_t reference_cell_parameters(const reference_lstm *net, size_t layer);

/** Number of all parameters. */
size_t reference_parameters(const reference_lstm *net);

/**
 * Runs a batch; out is [T, N, D*S] with zeros past the end of a sequence, hn [L*D, N,
 * S], cn [L*D, N, H].
 */
void reference_forward(const reference_lstm *net, const reference_input *input,
                       double *out, double *hn, double *cn);

/** Draws 64 bits from the generator that generator is. */
typedef uint64_t (*reference_draw)(void *generator);

/**
 * Draws the masks of a forward as PyTorch does, [L-1, T, N, D*S]: one draw for each
 * valid element of each layer but the last; in time-major order, and with lengths in
 * that of packed data, where longer sequences stand first in each step.
 */
void reference_masks(const reference_lstm *net, const reference_input *input,
                     double probability, reference_draw draw, void *generator,
                     double *masks);

#endif
