/**
 * @file
 * Named sets of parameters and their gradients.
 *
 * A set holds what an optimiser steps, what is clipped, and what files contain, under
 * the names and in the order of PyTorch's state dict: "lstm.weight_ih_l0" ...
 * "fc.bias". It refers to the parameters of layers, which MUST outlive it.
 */
#ifndef LSTM_PARAMS_H
#define LSTM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** A named set of parameters. */
typedef struct lstm_params lstm_params;

/**
 * Creates an empty set.
 *
 * @param[out] out the set, freed with lstm_params_destroy(); NULL on failure
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out is NULL
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_create(lstm_params **out);

/**
 * Frees a set, not the parameters it refers to, and writes NULL to the handle.
 *
 * @param params address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_params_destroy(lstm_params **params);

/**
 * Adds the parameters of a layer as "PREFIX.weight_ih_l0" and so on.
 *
 * @param params a set
 * @param prefix in front of the names, joined by a dot; "" for the bare names
 * @param layer a layer, which MUST outlive the set
 * @retval LSTM_OK added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or a name is taken; nothing was
 * added
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_layer(lstm_params *params, const char *prefix,
                                  lstm_layer *layer);

/**
 * Adds the parameters of a linear layer as "PREFIX.weight" and "PREFIX.bias".
 *
 * @param params a set
 * @param prefix in front of the names, joined by a dot; "" for the bare names
 * @param linear a linear layer, which MUST outlive the set
 * @retval LSTM_OK added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or a name is taken; nothing was
 * added
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_linear(lstm_params *params, const char *prefix,
                                   lstm_linear *linear);

/** Number of parameter tensors in the set; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_params_size(const lstm_params *params);

/** Number of float32 values in all of them; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_params_count(const lstm_params *params);

/** Name of a parameter; NULL when index is not below lstm_params_size(). @since 1.0 */
LSTM_API
const char *lstm_params_name(const lstm_params *params, size_t index);

/**
 * Values of a parameter, to read or to write, in PyTorch's shape.
 *
 * Written values count from the layer's next forward in training mode; in evaluation
 * see lstm_layer_set_training().
 *
 * @return a tensor of the layer's; NULL when index is not below lstm_params_size()
 * @since 1.0
 */
LSTM_API
lstm_tensor *lstm_params_value(const lstm_params *params, size_t index);

/**
 * Gradient of a parameter, in the shape of its values.
 *
 * @return a tensor of the layer's; NULL when index is not below lstm_params_size()
 * @since 1.0
 */
LSTM_API
lstm_tensor *lstm_params_grad(const lstm_params *params, size_t index);

/**
 * Sets all gradients to zero.
 *
 * @param params a set
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_zero_grad(lstm_params *params);

/**
 * Scales all gradients so that their common Euclidean norm is at most max_norm.
 *
 * As torch.nn.utils.clip_grad_norm_(): the factor is max_norm / (norm + 1e-6) and at
 * most 1.
 *
 * @param params a set
 * @param max_norm above 0; INFINITY only measures
 * @param[out] norm the norm before clipping; NULL when not wanted
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL, or max_norm is not above 0
 * @retval LSTM_NOT_FINITE the norm is not finite: the message names the first parameter
 *         whose gradient is not; no gradient was changed, norm is written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm);

/**
 * Limits every element of every gradient to [-limit, limit].
 *
 * As torch.nn.utils.clip_grad_value_(); a NaN stays.
 *
 * @param params a set
 * @param limit at least 0
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL, or limit is not at least 0
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_clip_value(lstm_params *params, double limit);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
