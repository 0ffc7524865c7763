/**
 * @file
 * Read-only views of packed layers, for other objects.
 */
#ifndef LSTM_NN_INFERENCE_H
#define LSTM_NN_INFERENCE_H

#include <stdbool.h>

#include <lstm/layer.h>
#include <lstm/linear.h>

struct lstm_weights;

/** The weights of a layer, valid as long as the layer. */
const struct lstm_weights *lstm_layer_weights(const lstm_layer *layer);

/** Whether the layer is in evaluation mode and its panels have the version of its
 * weights. */
bool lstm_layer_is_packed(const lstm_layer *layer);

/** A linear layer: weight [outputs, inputs] and bias [outputs], NULL without one. */
typedef struct lstm_linear_view {
    size_t inputs, outputs;
    const float *weight, *bias;
} lstm_linear_view;

lstm_linear_view lstm_linear_get_view(const lstm_linear *linear);

#endif
