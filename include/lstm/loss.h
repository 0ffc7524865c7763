/**
 * @file
 * Element-wise losses: mean squared error, and binary cross-entropy of logits.
 *
 * These functions keep nothing between calls and allocate nothing, so any number of
 * threads may call them at the same time. They compute in double precision and round
 * each result to float32 once. For the loss of a classifier see cross_entropy.h.
 */
#ifndef LSTM_LOSS_H
#define LSTM_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** How the losses of elements or rows are reduced. */
typedef enum lstm_reduction {
    /** One value: the mean. For a cross-entropy with class weights, the sum over the
     * rows divided by the sum of the weights of their targets. */
    LSTM_REDUCTION_MEAN = 0,
    /** One value: the sum. */
    LSTM_REDUCTION_SUM = 1,
    /** A value for each element or row. */
    LSTM_REDUCTION_NONE = 2
} lstm_reduction;

/** Options of the functions in this header. Zero is the default of each option. */
typedef struct lstm_loss_options {
    /** How the losses of the elements are reduced (default LSTM_REDUCTION_MEAN). */
    lstm_reduction reduction;
    /** In the shape of input, or in that shape without the last axis. Elements whose
     * mask is 0 have loss 0 and gradient 0, even if input or target is NaN, and a mean
     * does not count them (default NULL: every element counts). */
    const lstm_tensor *mask;
    /** [classes] Binary cross-entropy: weight of the positive term of each class, the
     *  last axis of input (default NULL: all 1). */
    const float *pos_weight;
    /** Number of values of pos_weight (default 0, with NULL). */
    size_t classes;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_loss_options;

/**
 * Mean squared error, as torch.nn.MSELoss: (input - target)^2 of each element.
 *
 * @param input any shape
 * @param target in the shape of input
 * @param options NULL for the defaults
 * @param[out] value one float (mean, sum), or one for each element of input in
 *        row-major order (none); MUST NOT overlap input, target or mask. If no element
 *        counts, the mean is NaN, as in PyTorch.
 * @retval LSTM_OK value was written
 * @retval LSTM_INVALID_ARGUMENT input, target or value is NULL, or an option is out of
 *         range (the message names it); nothing was written
 * @retval LSTM_SHAPE_MISMATCH the shape of target or mask is not as above; nothing was
 *         written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_mse_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value);

/**
 * Gradient of lstm_mse_forward() with respect to input: 2 (input - target) times
 * dvalue. For a mean it is divided by the number of elements that count.
 *
 * @param input as in the forward
 * @param target as in the forward
 * @param options as in the forward
 * @param dvalue gradient of value, one float (mean, sum), or one for each element
 *        (none); NULL: ones
 * @param[out] dinput in the shape of input, overwritten; may be the same tensor as
 *        input or target, and MUST NOT overlap an argument otherwise
 * @retval LSTM_OK dinput was written
 * @retval LSTM_INVALID_ARGUMENT input, target or dinput is NULL, or an option is out of
 *         range (the message names it); nothing was written
 * @retval LSTM_SHAPE_MISMATCH the shape of target, mask or dinput is not as above;
 *         nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_mse_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput);

/**
 * Binary cross-entropy of logits, as torch.nn.BCEWithLogitsLoss.
 *
 * With s(x) = log(1 + exp(x)) and p = pos_weight, each element has the loss
 *
 *     (1 - target) s(input) + p target s(-input)
 *
 * This form does not overflow for any input.
 *
 * @param input logits, any shape
 * @param target in the shape of input, from 0 to 1 (not checked)
 * @param options NULL for the defaults
 * @param[out] value as in lstm_mse_forward()
 * @retval LSTM_OK value was written
 * @retval LSTM_INVALID_ARGUMENT input, target or value is NULL, or an option is out of
 *         range (the message names it); nothing was written
 * @retval LSTM_SHAPE_MISMATCH the shape of target or mask is not as above, or the last
 *         axis of input is not classes; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_bce_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value);

/**
 * Gradient of lstm_bce_forward() with respect to input: with the sigmoid g, ((1 -
 * target) g(input) - p target g(-input)) times dvalue. For a mean it is divided by the
 * number of elements that count.
 *
 * @param input as in the forward
 * @param target as in the forward
 * @param options as in the forward
 * @param dvalue gradient of value, one float (mean, sum), or one for each element
 *        (none); NULL: ones
 * @param[out] dinput as in lstm_mse_backward()
 * @retval LSTM_OK dinput was written
 * @retval LSTM_INVALID_ARGUMENT input, target or dinput is NULL, or an option is out of
 *         range (the message names it); nothing was written
 * @retval LSTM_SHAPE_MISMATCH the shape of target, mask or dinput is not as above, or
 *         the last axis of input is not classes; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_bce_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
