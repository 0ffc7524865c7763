/**
 * @file
 * The linear layer: y = x W^T + b, as torch.nn.Linear.
 */
#ifndef LSTM_LINEAR_H
#define LSTM_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Options of a linear layer. */
typedef struct lstm_linear_config {
    /** Size of the last axis of x, at least 1. */
    size_t inputs;
    /** Size of the last axis of y, at least 1. */
    size_t outputs;
    /** No bias: y = x W^T (default false). */
    bool no_bias;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_linear_config;

/** A linear layer: parameters, their gradients, and the input that backward needs. */
typedef struct lstm_linear lstm_linear;

/**
 * Creates a linear layer with the initial weights of torch.nn.Linear.
 *
 * First the weight [outputs, inputs] is drawn, uniform in +-sqrt(3) sqrt(2/6) /
 * sqrt(inputs), then the bias [outputs], uniform in +-1/sqrt(inputs).
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param config options, copied
 * @param rng generator of the weights, not used after this call; NULL leaves them zero
 * @retval LSTM_OK the layer was created
 * @retval LSTM_INVALID_ARGUMENT out or config is NULL, or a size is 0 or too large
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_create(lstm_linear **out, const lstm_linear_config *config,
                               lstm_rng *rng);

/** Options of a linear layer, valid as long as the layer; NULL for NULL. @since 1.0 */
LSTM_API
const lstm_linear_config *lstm_linear_get_config(const lstm_linear *linear);

/**
 * Frees a linear layer and writes NULL to the handle.
 *
 * Destroy the parameter sets that contain it first.
 *
 * @param linear address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_linear_destroy(lstm_linear **linear);

/**
 * Computes y = x W^T + b for every row.
 *
 * @param linear a linear layer
 * @param x [N, inputs] or [A, B, inputs]; copied, so the caller may change it before
 *        backward
 * @param[out] y [N, outputs] or [A, B, outputs]
 * @retval LSTM_OK y was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory for more rows than in earlier calls;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_linear_forward(lstm_linear *linear, const lstm_tensor *x,
                                lstm_tensor *y);

/**
 * Computes the gradients of the last forward.
 *
 * Writes dx = dy W, and adds to the gradients of the parameters: dW += dy^T x, and db
 * += the sum of dy over the rows.
 *
 * The layer keeps only x of the last forward. After several forwards, such as one for
 * each step, run one more forward over all rows, then one backward.
 *
 * @param linear a linear layer after a forward
 * @param dy gradient of y, in its shape
 * @param[out] dx gradient of x, in its shape; NULL: not wanted
 * @retval LSTM_OK the gradients were written
 * @retval LSTM_INVALID_ARGUMENT linear or dy is NULL
 * @retval LSTM_INVALID_STATE there was no forward
 * @retval LSTM_SHAPE_MISMATCH a shape differs from that of the last forward; nothing
 *         was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_linear_backward(lstm_linear *linear, const lstm_tensor *dy,
                                 lstm_tensor *dx);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
