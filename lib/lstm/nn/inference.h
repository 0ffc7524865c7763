/**
 * @file
 * What inference reads of layers that nobody changes meanwhile.
 */
#ifndef LSTM_NN_INFERENCE_H
#define LSTM_NN_INFERENCE_H

#include <stdbool.h>

#include <lstm/layer.h>
#include <lstm/linear.h>

#include "lib/lstm/kernels/kernels.h"

/** Packed weights of one direction of one layer, for its forward. */
typedef struct lstm_panels {
    /** Channels of its input. */
    size_t inputs;
    /** For the cell, see lstm_cell; of the projection, NULL without one. They stay
     *  where they are as long as the layer lives. */
    const lstm_packed *cell, *project;
    const float *bias;
} lstm_panels;

/** Panels number index, layer times directions plus direction. */
lstm_panels lstm_layer_panels(const lstm_layer *layer, size_t index);

/** The kernels that read them: of the layer's precision. */
const lstm_kernels *lstm_layer_kernels(const lstm_layer *layer);

/** Whether the layer is in evaluation mode and its panels hold the weights. */
bool lstm_layer_is_packed(const lstm_layer *layer);

/** A linear layer: weight [outputs, inputs] and bias [outputs], NULL without one. */
typedef struct lstm_linear_view {
    size_t inputs, outputs;
    const float *weight, *bias;
} lstm_linear_view;

lstm_linear_view lstm_linear_get_view(const lstm_linear *linear);

#endif
