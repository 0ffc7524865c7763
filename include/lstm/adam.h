/**
 * @file
 * The Adam optimiser, as torch.optim.Adam and torch.optim.AdamW.
 */
#ifndef LSTM_ADAM_H
#define LSTM_ADAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/params.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Options of Adam. Zero is the default of each. */
typedef struct lstm_adam_config {
    /** Learning rate, above 0 (default 0, which means 0.001). */
    double lr;
    /** Decay of the first moment, in [0, 1) (default 0, which means 0.9; a negative
     * number means 0). */
    double beta1;
    /** Decay of the second moment, in [0, 1) (default 0, which means 0.999; a negative
     * number means 0). */
    double beta2;
    /** Added to the square root of the second moment (default 0, which means 1e-8). */
    double eps;
    /** Weight decay, at least 0 (default 0). */
    double weight_decay;
    /** Decay the weights themselves, not the gradient: AdamW (default false). */
    bool decoupled;
    /** Divide by the largest second moment so far: AMSGrad (default false). */
    bool amsgrad;
    /** Maximise: step along the gradients, not against them (default false). */
    bool maximize;
    /** Check all gradients before a step, and refuse the step if one is not finite.
     * This reads all gradients a second time (default false: NaN spreads). */
    bool check_finite;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_adam_config;

/** An Adam optimiser: moments and a step count for each parameter of a set. */
typedef struct lstm_adam lstm_adam;

/**
 * Creates an optimiser for the parameters of a set.
 *
 * @param[out] out the optimiser, freed with lstm_adam_destroy(); NULL on failure
 * @param params the set; MUST outlive the optimiser. Once an optimiser exists,
 *        lstm_adam_step() fails if parameters were added to the set.
 * @param config options, copied; NULL for the defaults
 * @retval LSTM_OK the optimiser was created
 * @retval LSTM_INVALID_ARGUMENT out or params is NULL, or an option is out of range or
 *         not finite; the message names it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_adam_create(lstm_adam **out, lstm_params *params,
                             const lstm_adam_config *config);

/**
 * Frees an optimiser and writes NULL to the handle. It does not free the parameters.
 *
 * @param adam address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_adam_destroy(lstm_adam **adam);

/**
 * Updates all trainable parameters: one step against their gradients (Kingma and Ba,
 * 2015).
 *
 *     g = gradient + weight_decay p      (decoupled: p *= 1 - lr weight_decay instead)
 *     m = m + (1 - beta1)(g - m)         v = beta2 v + (1 - beta2) g g
 *     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 *
 * t is the number of steps of the parameter, including this one. As in PyTorch, steps
 * in which the parameter was frozen do not count. With amsgrad the largest v so far
 * replaces v. With maximize g has the opposite sign. The operations are the same as on
 * PyTorch's CPU path in float32, with coefficients rounded from double. PyTorch's
 * square root is not always correctly rounded, so less than 1% of the values differ in
 * the last bit after one step.
 *
 * @param adam an optimiser
 * @retval LSTM_OK the parameters were updated
 * @retval LSTM_INVALID_ARGUMENT adam is NULL
 * @retval LSTM_INVALID_STATE the set has grown since the optimiser was created
 * @retval LSTM_NOT_FINITE with check_finite: a gradient of a trainable parameter is NaN
 *         or infinite (the message names the parameter); nothing was changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_adam_step(lstm_adam *adam);

/**
 * Sets the learning rate for the following steps.
 *
 * @param adam an optimiser
 * @param lr finite, at least 0
 * @retval LSTM_OK the rate was set
 * @retval LSTM_INVALID_ARGUMENT adam is NULL or lr is out of range
 * @since 1.0
 */
LSTM_API
lstm_status lstm_adam_set_lr(lstm_adam *adam, double lr);

/**
 * Sets the learning rate and the weight decay of one parameter, like a parameter group
 * of PyTorch. For example, no decay for biases:
 *
 *     for (size_t i = 0; i < lstm_params_size(params); i++)
 *         if (lstm_tensor_rank(lstm_params_value(params, i)) == 1)
 *             lstm_adam_set_parameter(adam, i, 1, 0);
 *
 * Checkpoints (lstm_params_save()) contain these values.
 *
 * @param adam an optimiser
 * @param index of the parameter in the set
 * @param lr_factor factor of the learning rate, at least 0 (initially 1)
 * @param weight_decay at least 0 (initially the weight_decay of the config)
 * @retval LSTM_OK the values were set
 * @retval LSTM_INVALID_ARGUMENT adam is NULL, or an argument is out of range; the
 *         message names it; nothing was changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_adam_set_parameter(lstm_adam *adam, size_t index, double lr_factor,
                                    double weight_decay);

/** Learning rate of the next step; 0 for NULL. @since 1.0 */
LSTM_API
double lstm_adam_lr(const lstm_adam *adam);

/** Number of steps made; 0 for NULL. @since 1.0 */
LSTM_API
uint64_t lstm_adam_steps(const lstm_adam *adam);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
