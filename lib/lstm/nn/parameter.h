/**
 * @file
 * A parameter of a layer: what sets of parameters, optimisers and files work on.
 */
#ifndef LSTM_NN_PARAMETER_H
#define LSTM_NN_PARAMETER_H

#include <stdint.h>

#include <lstm/adam.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/tensor.h>

/** Longest name of a parameter of a layer, its end included: "weight_hh_l123_reverse".
 */
enum { LSTM_PARAMETER_NAME = 48 };

/** A parameter: its name within its layer, values, and gradient of the same shape, both
 *  row-major without gaps. */
typedef struct lstm_parameter {
    char name[LSTM_PARAMETER_NAME];
    lstm_tensor *value;
    lstm_tensor *grad;
    /** Owned by the layer: whoever changes values adds one, and the layer reads its
     *  weights anew. */
    uint64_t *version;
} lstm_parameter;

/** Parameters of a layer in PyTorch's order, as long as the layer lives. */
lstm_parameter *lstm_layer_parameters(lstm_layer *layer, size_t *count);

/** Parameters of a linear layer, weight and bias, as long as it lives. */
lstm_parameter *lstm_linear_parameters(lstm_linear *linear, size_t *count);

/** A parameter of a set; NULL when index is not below lstm_params_size(). */
lstm_parameter *lstm_params_parameter(const lstm_params *params, size_t index);

/** LSTM_OK, or LSTM_NOT_FINITE naming the first parameter whose gradient is not finite.
 */
lstm_status lstm_params_check_finite(const lstm_params *params);

/** Moments of a parameter, in its shape. */
typedef struct lstm_adam_moments {
    lstm_tensor *first, *second;
    /** NULL without amsgrad. */
    lstm_tensor *largest;
} lstm_adam_moments;

/** The learning rate and weight decay of its own that a parameter has. */
typedef struct lstm_adam_rates {
    /** Whether lstm_adam_set_parameter() gave it these; otherwise they are the
     *  optimiser's. */
    bool given;
    double lr_factor, weight_decay;
} lstm_adam_rates;

/** Rates of a parameter of an optimiser's set; index MUST be in range. */
const lstm_adam_rates *lstm_adam_get_rates(const lstm_adam *adam, size_t index);

/** Moments of a parameter of an optimiser's set; NULL when index is out of range. */
const lstm_adam_moments *lstm_adam_get_moments(const lstm_adam *adam, size_t index);

/** Whether an optimiser steps this set, as large as it is now. */
bool lstm_adam_fits(const lstm_adam *adam, const lstm_params *params);

/** Sets the number of steps taken. */
void lstm_adam_set_steps(lstm_adam *adam, uint64_t steps);

/** The layer whose first parameter this one of the set is; NULL when there is none. */
const lstm_layer *lstm_params_layer(const lstm_params *params, size_t index);

#endif
