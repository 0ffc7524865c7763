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
    /** Decay of the first moment, in [0, 1) (default 0, which means 0.9; for none give
     * a negative number). */
    double beta1;
    /** Decay of the second moment, in [0, 1) (default 0, which means 0.999; for none
     * give a negative number). */
    double beta2;
    /** Added to the root of the second moment (default 0, which means 1e-8). */
    double eps;
    /** Weight decay, at least 0 (default 0). */
    double weight_decay;
    /** Decay the weights themselves, not through the gradient: AdamW (default false).
     */
    bool decoupled;
    /** Divide by the largest second moment so far: AMSGrad (default false). */
    bool amsgrad;
    /** Climb: step along the gradients, not against them (default false). */
    bool maximize;
    /** Look at every gradient before a step, and refuse it when one is not finite,
     *  which reads the gradients once more (default false: NaN spreads). */
    bool check_finite;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_adam_config;

/** An Adam optimiser: moments of each parameter of a set. */
typedef struct lstm_adam lstm_adam;

/**
 * Creates an optimiser of all parameters that a set has at this moment.
 *
 * @param[out] out the optimiser, freed with lstm_adam_destroy(); NULL on failure
 * @param params what is stepped; MUST outlive the optimiser and not grow
 * @param config options, copied; NULL for the defaults
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out or params is NULL, or an option is out of range or
 *         not finite; the message names it
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_adam_create(lstm_adam **out, lstm_params *params,
                             const lstm_adam_config *config);

/**
 * Frees an optimiser, not its parameters, and writes NULL to the handle.
 *
 * @param adam address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_adam_destroy(lstm_adam **adam);

/**
 * Moves all parameters one step against their gradients (Kingma and Ba, 2015).
 *
 *     g = gradient + weight_decay p      (decoupled: p *= 1 - lr weight_decay instead)
 *     m = m + (1 - beta1)(g - m)         v = beta2 v + (1 - beta2) g g
 *     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 *
 * With amsgrad the largest v so far stands in the place of v, with maximize g has the
 * other sign. The operations are those of PyTorch's CPU path, one by one in float32,
 * with coefficients rounded from double; its square root is not always the nearest
 * float32, so fewer than 1% of the parameters of a step differ in the last bit.
 *
 * @param adam an optimiser
 * @retval LSTM_OK stepped
 * @retval LSTM_INVALID_ARGUMENT adam is NULL
 * @retval LSTM_INVALID_STATE the set has grown since the optimiser was created
 * @retval LSTM_NOT_FINITE with check_finite: a gradient is NaN or infinite; the message
 *         names its parameter; nothing was changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_adam_step(lstm_adam *adam);

/**
 * Sets the learning rate of the steps to come.
 *
 * @param adam an optimiser
 * @param lr finite, at least 0
 * @retval LSTM_OK set
 * @retval LSTM_INVALID_ARGUMENT adam is NULL or lr is out of range
 * @since 1.0
 */
LSTM_API
lstm_status lstm_adam_set_lr(lstm_adam *adam, double lr);

/**
 * Gives a parameter a learning rate and a weight decay of its own.
 *
 * As the parameter groups of PyTorch, for example biases without decay:
 *
 *     for (size_t i = 0; i < lstm_params_size(params); i++)
 *         if (lstm_tensor_rank(lstm_params_value(params, i)) == 1)
 *             lstm_adam_set_parameter(adam, i, 1, 0);
 *
 * A checkpoint (lstm_params_save_as()) holds what was given here.
 *
 * @param adam an optimiser
 * @param index of the parameter in the set
 * @param lr_factor what the learning rate is multiplied with, at least 0 (before: 1)
 * @param weight_decay at least 0 (before: that of the config)
 * @retval LSTM_OK set
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

/** Number of steps taken; 0 for NULL. @since 1.0 */
LSTM_API
uint64_t lstm_adam_steps(const lstm_adam *adam);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
