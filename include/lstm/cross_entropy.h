/**
 * @file
 * Cross-entropy of class scores, as torch.nn.CrossEntropyLoss.
 */
#ifndef LSTM_CROSS_ENTROPY_H
#define LSTM_CROSS_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** What becomes of the losses of the rows. */
typedef enum lstm_reduction {
    /** One value: the sum over the rows by the sum of the weights of their targets; for
     *  targets that are probabilities, and without weights, by the number of rows. */
    LSTM_REDUCTION_MEAN = 0,
    /** One value: the sum over the rows. */
    LSTM_REDUCTION_SUM = 1,
    /** A value per row. */
    LSTM_REDUCTION_NONE = 2
} lstm_reduction;

/** Options of the loss. Zero is the default of each. */
typedef struct lstm_cross_entropy_config {
    /** What becomes of the losses of the rows (default LSTM_REDUCTION_MEAN). */
    lstm_reduction reduction;
    /** [classes] weight of each class, at least 0, copied (default NULL: all 1). */
    const float *class_weights;
    /** Number of class weights, which logits have to have; 0 with NULL. */
    size_t classes;
    /** Rows whose target is ignore_index count nothing (default false: such a target
     *  has to be a class as any other). */
    bool ignore;
    /** With ignore: the target of the rows that count nothing, -100 in PyTorch. */
    int64_t ignore_index;
    /** Share of each target that is spread over all classes, 0 to 1 (default 0). */
    double label_smoothing;
    /** The mean over no row at all is 0 (default false: NaN, as in PyTorch). */
    bool zero_mean_of_none;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_cross_entropy_config;

/** A cross-entropy loss: its options and the probabilities that backward needs. */
typedef struct lstm_cross_entropy lstm_cross_entropy;

/**
 * Creates a loss.
 *
 * @param[out] out the loss, freed with lstm_cross_entropy_destroy(); NULL on failure
 * @param config options, copied; NULL for the defaults
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out is NULL or an option is out of range
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_cross_entropy_create(lstm_cross_entropy **out,
                                      const lstm_cross_entropy_config *config);

/**
 * Frees a loss and writes NULL to the handle.
 *
 * @param loss address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_cross_entropy_destroy(lstm_cross_entropy **loss);

/**
 * Computes the loss of class scores: -log softmax(logits)[target] of every row.
 *
 * With class weights w and label smoothing e, for the target y of a row:
 *
 *     loss = -(1 - e) w[y] log softmax(logits)[y]
 *            - e / C sum of w[c] log softmax(logits)[c]
 *
 * @param loss a loss
 * @param logits [N, C] scores before the softmax
 * @param targets [N] class of each row, 0 to C - 1
 * @param[out] value one float (mean, sum) or [N] floats (none)
 * @retval LSTM_OK value is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or a target is out of range: the
 *         message names it and its row; nothing was written
 * @retval LSTM_SHAPE_MISMATCH logits is not of rank 2, or C is not the number of class
 *         weights; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory for this [N, C], which is larger than before;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_cross_entropy_forward(lstm_cross_entropy *loss,
                                       const lstm_tensor *logits,
                                       const int64_t *targets, float *value);

/**
 * Computes the loss of class scores against probabilities of the classes.
 *
 *     loss = -sum of w[c] ((1 - e) targets[c] + e / C) log softmax(logits)[c]
 *
 * @param loss a loss; ignore_index means nothing here
 * @param logits [N, C] scores before the softmax
 * @param targets [N, C] probabilities, taken as they are
 * @param[out] value one float (mean, sum) or [N] floats (none)
 * @retval LSTM_OK value is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL; nothing was written
 * @retval LSTM_SHAPE_MISMATCH logits is not of rank 2, C is not the number of class
 *         weights, or targets is not of the shape of logits; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory for this [N, C], which is larger than before;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_cross_entropy_forward_probabilities(lstm_cross_entropy *loss,
                                                     const lstm_tensor *logits,
                                                     const lstm_tensor *targets,
                                                     float *value);

/**
 * Gradient of the last loss for its logits: (softmax - onehot) times what comes in,
 * without weights and smoothing. Rows that count nothing get zeros.
 *
 * @param loss a loss after a forward
 * @param dvalue gradient of value, one float (mean, sum) or [N] (none); NULL for ones
 * @param[out] dlogits [N, C], overwritten
 * @retval LSTM_OK dlogits is written
 * @retval LSTM_INVALID_ARGUMENT loss or dlogits is NULL
 * @retval LSTM_INVALID_STATE no forward came before
 * @retval LSTM_SHAPE_MISMATCH dlogits is not of the shape of the logits; nothing was
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
