/**
 * @file
 * The parameters of the LSTM cell: names, shapes and order.
 *
 * These parts also belong to the cell: LSTM_GATES in kernels.h, the kernels that
 * compute it (lstm_cell and lstm_cell_gradient in kernels.h), and the calls of the
 * kernels in cell.c. All other files use only the number of gates, states and
 * parameters.
 */
#ifndef LSTM_NN_CELL_H
#define LSTM_NN_CELL_H

#include <stddef.h>

#include <lstm/layer.h>

/** Parameters of one direction of one layer, in PyTorch's order. */
typedef enum lstm_cell_parameter {
    LSTM_WEIGHT_IH,
    LSTM_WEIGHT_HH,
    LSTM_BIAS_IH,
    LSTM_BIAS_HH,
    LSTM_WEIGHT_HR,
    LSTM_CELL_PARAMETERS
} lstm_cell_parameter;

/** Name and shape of a parameter of the cell; rank 0 if the options exclude it. */
typedef struct lstm_cell_form {
    const char *name;
    size_t rank, shape[2];
} lstm_cell_form;

/** Name and shape of a parameter of a direction with this number of inputs. */
lstm_cell_form lstm_cell_parameter_form(const lstm_layer_config *config,
                                        lstm_cell_parameter parameter, size_t inputs);

/** S, the size of h: P with a projection, else H. */
static inline size_t lstm_cell_state(const lstm_layer_config *config)
{
    return config->proj_size ? config->proj_size : config->hidden;
}

#endif
