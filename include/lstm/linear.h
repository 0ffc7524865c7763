/**
 * @file
 * The linear layer: y = x W^T + b, as torch.nn.Linear.
 */
#ifndef LSTM_LINEAR_H
#define LSTM_LINEAR_H

#include <stddef.h>

#include <lstm/export.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** A linear layer with bias: weights, gradients, and the input that backward needs. */
typedef struct lstm_linear lstm_linear;

/**
 * Creates a linear layer with weights as torch.nn.Linear draws them.
 *
 * The weight [outputs, inputs] is uniform in +-sqrt(3) sqrt(2/6) / sqrt(inputs), then
 * the bias [outputs] in +-1/sqrt(inputs).
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param inputs at least 1
 * @param outputs at least 1
 * @param rng where the weights are drawn from; NULL leaves them at zero
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out is NULL, or a size is 0 or too large
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_create(lstm_linear **out, size_t inputs, size_t outputs,
                               lstm_rng *rng);

/**
 * Frees a linear layer and writes NULL to the handle.
 *
 * Parameter sets that hold it MUST be destroyed before.
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
 * @param x [N, inputs], or [A, B, inputs]; it is copied: the caller may change it
 * before backward
 * @param[out] y [N, outputs], or [A, B, outputs]
 * @retval LSTM_OK y is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory for this number of rows, which is larger than
 *         before; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_linear_forward(lstm_linear *linear, const lstm_tensor *x,
                                lstm_tensor *y);

/**
 * Propagates gradients back through the last forward.
 *
 * dx = dy W is overwritten; dW += dy^T x and db += the sum of dy over the rows.
 *
 * @param linear a linear layer after a forward
 * @param dy gradient of y, in its shape
 * @param[out] dx gradient of x, in its shape; NULL when not wanted
 * @retval LSTM_OK gradients are written
 * @retval LSTM_INVALID_ARGUMENT linear or dy is NULL
 * @retval LSTM_INVALID_STATE no forward came before
 * @retval LSTM_SHAPE_MISMATCH a shape is not that of the last forward; nothing was
 * written
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
