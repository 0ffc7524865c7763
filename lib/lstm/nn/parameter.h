/**
 * @file
 * A parameter, as parameter sets, optimisers and files use it.
 */
#ifndef LSTM_NN_PARAMETER_H
#define LSTM_NN_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include <lstm/adam.h>
#include <lstm/embedding.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/tensor.h>

/** Size of the longest name of a parameter of a layer, with its zero byte:
 *  "weight_hh_l123_reverse". */
enum { LSTM_PARAMETER_NAME = 48 };

/** A parameter: values and a gradient of the same shape, both row-major without gaps.
 */
typedef struct lstm_parameter {
    /** Name within its layer; empty for tensors of the caller. */
    char name[LSTM_PARAMETER_NAME];
    lstm_tensor *value;
    /** NULL: the parameter is saved and loaded, but never updated. */
    lstm_tensor *grad;
    /** Whether files have int8 values: a matrix of a layer of int8. */
    bool bytes;
    /** A counter of the layer. Code that changes values increments it, and the layer
     * then packs its weights again. */
    uint64_t *version;
} lstm_parameter;

/** Parameters of a layer in PyTorch's order, valid as long as the layer. */
lstm_parameter *lstm_layer_parameters(lstm_layer *layer, size_t *count);

/** Parameters of a linear layer, weight and bias if any, valid as long as the layer. */
lstm_parameter *lstm_linear_parameters(lstm_linear *linear, size_t *count);

/** The table of an embedding, valid as long as the embedding; *count is 1. */
lstm_parameter *lstm_embedding_parameters(lstm_embedding *embedding, size_t *count);

/** A parameter of a set; NULL when index is not below lstm_params_size(). */
lstm_parameter *lstm_params_parameter(const lstm_params *params, size_t index);

/** LSTM_OK, or LSTM_NOT_FINITE with a message that names the first trainable parameter
 *  whose gradient is not finite. */
lstm_status lstm_params_check_finite(const lstm_params *params);

/** Moments of a parameter, in its shape; NULL for a parameter without gradient. */
typedef struct lstm_adam_moments {
    lstm_tensor *first, *second;
    /** Largest second moment so far; NULL without amsgrad. */
    lstm_tensor *largest;
} lstm_adam_moments;

/** Learning rate and weight decay of one parameter. */
typedef struct lstm_adam_rates {
    /** True after lstm_adam_set_parameter(); otherwise the values are those of the
     * optimiser. */
    bool is_set;
    double lr_factor, weight_decay;
} lstm_adam_rates;

/** Rates of a parameter; index MUST be in range. */
const lstm_adam_rates *lstm_adam_get_rates(const lstm_adam *adam, size_t index);

/** Moments of a parameter; NULL when index is out of range. */
const lstm_adam_moments *lstm_adam_get_moments(const lstm_adam *adam, size_t index);

/** Whether an optimiser belongs to a set, and the set has not grown. */
bool lstm_adam_fits(const lstm_adam *adam, const lstm_params *params);

/** Sets the number of steps of the optimiser and of every parameter. */
void lstm_adam_set_steps(lstm_adam *adam, uint64_t steps);

/** Number of steps of one parameter, fewer than lstm_adam_steps() if it was frozen for
 * some steps; index MUST be in range. */
uint64_t lstm_adam_parameter_steps(const lstm_adam *adam, size_t index);

/** Sets the number of steps of one parameter; index MUST be in range. */
void lstm_adam_set_parameter_steps(lstm_adam *adam, size_t index, uint64_t steps);

/** The layer whose first parameter has this index; NULL for other indices. */
const lstm_layer *lstm_params_layer(const lstm_params *params, size_t index);

#endif
