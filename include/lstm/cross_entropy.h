/**
 * @file
 * Cross-entropy of logits, as torch.nn.CrossEntropyLoss.
 */
#ifndef LSTM_CROSS_ENTROPY_H
#define LSTM_CROSS_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/loss.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Options of a cross-entropy. Zero is the default of each option. */
typedef struct lstm_cross_entropy_config {
    /** How the losses of the rows are reduced (default LSTM_REDUCTION_MEAN). */
    lstm_reduction reduction;
    /** [classes] weight of each class, at least 0, copied (default NULL: all 1). */
    const float *class_weights;
    /** Number of class weights, the last axis of logits (default 0, with NULL). */
    size_t classes;
    /** Use ignore_index: rows with this target have loss 0 and gradient 0, and a mean
     * does not count them (default false). */
    bool ignore;
    /** With ignore: the target of rows to ignore; PyTorch's default is -100. Must be
     *  0 without ignore. */
    int64_t ignore_index;
    /** Part of each target that is spread evenly over all classes, 0 to 1 (default 0).
     */
    double label_smoothing;
    /** If no row counts, or the weights of the rows that count sum to 0, the mean and
     *  its gradients are 0 (default false: the mean is NaN, and so are the gradients
     *  of the rows that count, as in PyTorch). */
    bool zero_mean_of_none;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_cross_entropy_config;

/** A cross-entropy: its options and the gradient that backward needs. */
typedef struct lstm_cross_entropy lstm_cross_entropy;

/**
 * Creates a cross-entropy.
 *
 * @param[out] out the loss, freed with lstm_cross_entropy_destroy(); NULL on failure
 * @param config options, copied; NULL for the defaults
 * @retval LSTM_OK the loss was created
 * @retval LSTM_INVALID_ARGUMENT out is NULL or an option is out of range
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_cross_entropy_create(lstm_cross_entropy **out,
                                      const lstm_cross_entropy_config *config);

/**
 * Frees a cross-entropy and writes NULL to the handle.
 *
 * @param loss address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_cross_entropy_destroy(lstm_cross_entropy **loss);

/**
 * Computes the loss of each row of logits: -log softmax(logits)[target].
 *
 * With class weights w and label smoothing e, for the target y of a row:
 *
 *     loss = -(1 - e) w[y] log softmax(logits)[y]
 *            - e / C sum of w[c] log softmax(logits)[c]
 *
 * A row is a vector of C logits. With a target at each step, logits is [N, T, C] and
 * row n T + t is step t of sequence n. The classes are the last axis; in PyTorch the
 * shape is [N, C, T]. To mask steps past the end of a sequence, set their targets to
 * ignore_index. For logits [T, N, C] the targets are [T, N].
 *
 * @param loss a loss
 * @param logits [N, C] or [N, T, C], before the softmax
 * @param targets [N] or [N, T], the class of each row, 0 to C - 1
 * @param[out] value one float (mean, sum), or [N] or [N, T] floats (none)
 * @retval LSTM_OK value was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or a target is out of range (the
 *         message names it and its row); nothing was written
 * @retval LSTM_SHAPE_MISMATCH logits is not of rank 2 or 3, or C is not the number of
 *         class weights; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory for more logits than in earlier calls;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_cross_entropy_forward(lstm_cross_entropy *loss,
                                       const lstm_tensor *logits,
                                       const int64_t *targets, float *value);

/**
 * Computes the loss of each row of logits for targets that are probabilities.
 *
 *     loss = -sum of w[c] ((1 - e) targets[c] + e / C) log softmax(logits)[c]
 *
 * @param loss a loss; this call does not use ignore_index
 * @param logits [N, C] or [N, T, C], before the softmax
 * @param targets probabilities in the shape of logits, not checked
 * @param[out] value one float (mean, sum), or [N] or [N, T] floats (none)
 * @retval LSTM_OK value was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL; nothing was written
 * @retval LSTM_SHAPE_MISMATCH logits is not of rank 2 or 3, C is not the number of
 *         class weights, or targets differs from logits in shape; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory for more logits than in earlier calls;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_cross_entropy_forward_probabilities(lstm_cross_entropy *loss,
                                                     const lstm_tensor *logits,
                                                     const lstm_tensor *targets,
                                                     float *value);

/**
 * Computes the gradient of the last loss with respect to the logits. Without class
 * weights and smoothing it is (softmax(logits) - onehot(target)) times the gradient of
 * the row's loss. Ignored rows get zeros.
 *
 * @param loss a loss after a forward
 * @param dvalue gradient of value, one float (mean, sum), or one per row (none); NULL:
 *        ones
 * @param[out] dlogits in the shape of logits, overwritten; may be the tensor of the
 *        logits
 * @retval LSTM_OK dlogits was written
 * @retval LSTM_INVALID_ARGUMENT loss or dlogits is NULL
 * @retval LSTM_INVALID_STATE there was no forward
 * @retval LSTM_SHAPE_MISMATCH dlogits differs from the logits in shape; nothing was
 *         written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_cross_entropy_backward(lstm_cross_entropy *loss, const float *dvalue,
                                        lstm_tensor *dlogits);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
