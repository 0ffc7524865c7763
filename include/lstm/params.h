/**
 * @file
 * Named sets of parameters and their gradients.
 *
 * A set lists the parameters that an optimiser updates, that clipping covers and that
 * files contain. Names and order are those of PyTorch's state dict: "lstm.weight_ih_l0"
 * ... "fc.bias". The set refers to parameters of layers and to tensors of the caller,
 * which MUST outlive it. A parameter can be in a set only once.
 *
 * lstm_params_save() in lstm/file.h writes a set to a file. A save replaces a file
 * completely or not at all, keeps its permissions, follows a symbolic link to its
 * target, and refuses a file that is write-protected.
 */
#ifndef LSTM_PARAMS_H
#define LSTM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/embedding.h>
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
 * @retval LSTM_OK the set was created
 * @retval LSTM_INVALID_ARGUMENT out is NULL
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_create(lstm_params **out);

/**
 * Frees a set and writes NULL to the handle. It does not free the parameters.
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
 * @param prefix of each name, without the dot that follows it; "" for names without a
 *        prefix
 * @param layer a layer, which MUST outlive the set
 * @retval LSTM_OK the parameters were added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the set already contains the
 *         layer or one of the names; nothing was added
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_layer(lstm_params *params, const char *prefix,
                                  lstm_layer *layer);

/**
 * Adds the parameters of a linear layer as "PREFIX.weight" and, if any, "PREFIX.bias".
 *
 * @param params a set
 * @param prefix of each name, without the dot that follows it; "" for names without a
 *        prefix
 * @param linear a linear layer, which MUST outlive the set
 * @retval LSTM_OK the parameters were added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the set already contains the
 *         layer or one of the names; nothing was added
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_linear(lstm_params *params, const char *prefix,
                                   lstm_linear *linear);

/**
 * Adds the table of an embedding as "PREFIX.weight".
 *
 * @param params a set
 * @param prefix of the name, without the dot that follows it; "" for no prefix
 * @param embedding an embedding, which MUST outlive the set
 * @retval LSTM_OK the table was added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the set already contains the
 *         embedding or the name; nothing was added
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_embedding(lstm_params *params, const char *prefix,
                                      lstm_embedding *embedding);

/**
 * Adds a tensor of the caller as a parameter. The caller computes its gradient; the
 * optimiser, clipping and files treat it like a parameter of a layer. A tensor without
 * a gradient is saved and loaded but never updated, like a buffer of torch.nn.Module (a
 * running mean, for example).
 *
 * @param params a set
 * @param name the name in files, not empty; copied
 * @param value the values, row-major without gaps; MUST outlive the set
 * @param grad the gradient, in the shape of value, row-major without gaps; MUST outlive
 *        the set; NULL: none
 * @retval LSTM_OK the parameter was added
 * @retval LSTM_INVALID_ARGUMENT params, name or value is NULL, name is empty, a tensor
 *         has other strides, the set already contains the name, or one of the tensors
 *         overlaps the other one or a tensor of the set in memory; nothing was added
 * @retval LSTM_SHAPE_MISMATCH grad differs from value in shape; nothing was added
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was added
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_tensor(lstm_params *params, const char *name,
                                   lstm_tensor *value, lstm_tensor *grad);

/** Number of parameter tensors in the set; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_params_size(const lstm_params *params);

/** Number of float32 values of all parameters; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_params_count(const lstm_params *params);

/** Name of a parameter; NULL when index is not below lstm_params_size(). @since 1.0 */
LSTM_API
const char *lstm_params_name(const lstm_params *params, size_t index);

/**
 * Values of a parameter, to read or to write, in PyTorch's shape.
 *
 * A layer in training mode uses written values from its next forward on. After you have
 * written values, call lstm_layer_pack() for a layer that is used with tapes, and
 * lstm_layer_set_training() for a layer in evaluation mode.
 *
 * @return a tensor that belongs to the layer or to the caller; NULL when index is not
 *         below lstm_params_size()
 * @since 1.0
 */
LSTM_API
lstm_tensor *lstm_params_value(const lstm_params *params, size_t index);

/**
 * Gradient of a parameter, in the shape of its values.
 *
 * @return a tensor that belongs to the layer or to the caller; NULL when the parameter
 *         has no gradient, or index is not below lstm_params_size()
 * @since 1.0
 */
LSTM_API
lstm_tensor *lstm_params_grad(const lstm_params *params, size_t index);

/**
 * Freezes a parameter, or makes it trainable again.
 *
 * Optimisers neither update nor decay a frozen parameter. lstm_params_clip_norm(),
 * lstm_params_clip_value() and the check for finite gradients skip it. Its gradient is
 * still computed, and lstm_params_zero_grad() zeroes it. This corresponds to
 * requires_grad of PyTorch, but applies to this set and its optimisers only. For
 * example, to train all but the LSTM:
 *
 *     for (size_t i = 0; i < lstm_params_size(params); i++)
 *         if (strncmp(lstm_params_name(params, i), "lstm.", 5) == 0)
 *             lstm_params_set_trainable(params, i, false);
 *
 * If all parameters of a layer are frozen and its dx, dh0 and dc0 are not needed, its
 * backward is not needed.
 *
 * @param params a set
 * @param index of the parameter
 * @param trainable false to freeze the parameter
 * @retval LSTM_OK the parameter was changed
 * @retval LSTM_INVALID_ARGUMENT params is NULL, index is not below lstm_params_size(),
 *         or trainable is true for a parameter without gradient
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_set_trainable(lstm_params *params, size_t index,
                                      bool trainable);

/**
 * Whether a parameter is trainable: it has a gradient and is not frozen.
 *
 * @return false for NULL, or when index is not below lstm_params_size()
 * @since 1.0
 */
LSTM_API
bool lstm_params_trainable(const lstm_params *params, size_t index);

/**
 * Copies all values to an array, for example to keep the best weights in memory.
 *
 * @param params a set
 * @param[out] values [lstm_params_count()] the parameters in order, each row-major
 * @retval LSTM_OK values was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_get_values(const lstm_params *params, float *values);

/**
 * Sets all values, frozen parameters included. Layers use them from their next forward
 * on; a layer in evaluation mode packs them again in that forward.
 *
 * @param params a set
 * @param values [lstm_params_count()] as lstm_params_get_values() writes them
 * @retval LSTM_OK the values were set
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_set_values(lstm_params *params, const float *values);

/**
 * Copies all gradients to an array, for example to sum the gradients of several
 * processes.
 *
 * @param params a set
 * @param[out] grads [lstm_params_count()] in the order of the values; zeros for
 *        parameters without gradient
 * @retval LSTM_OK grads was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_get_grads(const lstm_params *params, float *grads);

/**
 * Sets all gradients.
 *
 * @param params a set
 * @param grads [lstm_params_count()] as lstm_params_get_grads() writes them; elements
 *        of parameters without gradient are not used
 * @retval LSTM_OK the gradients were set
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_set_grads(lstm_params *params, const float *grads);

/**
 * Sets all gradients to zero, including those of frozen parameters.
 *
 * @param params a set
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_zero_grad(lstm_params *params);

/**
 * Scales the gradients of all trainable parameters so that their common Euclidean norm
 * is at most max_norm.
 *
 * As torch.nn.utils.clip_grad_norm_(): the factor is max_norm / (norm + 1e-6), but at
 * most 1.
 *
 * @param params a set
 * @param max_norm above 0; with INFINITY the call only computes the norm
 * @param[out] norm the norm before clipping; NULL: not wanted
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL, or max_norm is not above 0
 * @retval LSTM_NOT_FINITE the norm is not finite (the message names the first parameter
 *         whose gradient is not finite); no gradient was changed, but norm was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm);

/**
 * Clamps every element of the gradients of all trainable parameters to [-limit, limit].
 *
 * As torch.nn.utils.clip_grad_value_(). NaN stays NaN.
 *
 * @param params a set
 * @param limit at least 0
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT params is NULL, or limit is below 0 or NaN
 * @since 1.0
 */
LSTM_API
lstm_status lstm_params_clip_value(lstm_params *params, double limit);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
