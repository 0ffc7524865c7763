/**
 * @file
 * Weights of a layer as arrays, in the layouts of other frameworks.
 *
 * Arrays are row-major without gaps. For one direction of one layer with I inputs (D*S
 * for all layers but the first), S = P with projection, else H:
 *
 * | layout  | input    | recurrent | bias     | projection | gates      |
 * | ------- | -------- | --------- | -------- | ---------- | ---------- |
 * | PyTorch | [4*H, I] | [4*H, S]  | [2, 4*H] | [P, H]     | i, f, g, o |
 * | Keras   | [I, 4*H] | [H, 4*H]  | [4*H]    |            | i, f, g, o |
 * | ONNX    | [4*H, I] | [4*H, H]  | [2, 4*H] |            | i, o, f, g |
 * | oneDNN  | [I, 4*H] | [S, 4*H]  | [4*H]    | [H, P]     | i, f, g, o |
 *
 * The arrays are, for PyTorch: weight_ih, weight_hh, bias_ih followed by bias_hh,
 * weight_hr. For Keras: kernel, recurrent_kernel, bias; Keras calls the gate g "c". For
 * ONNX: W, R and B of one direction, where B is Wb followed by Rb. For oneDNN: ldigo
 * for the weights, ldgo for the bias, ldio for the projection, of one l and d.
 *
 * Values are not changed: reading back returns exactly what was set. In layouts with
 * one bias, setting it sets bias_ih and makes bias_hh zero; reading it returns the sum
 * of both. A layer uses only this sum, so outputs keep their bits.
 */
#ifndef LSTM_WEIGHTS_H
#define LSTM_WEIGHTS_H

#include <stddef.h>

#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Layout of the arrays; see the table above. */
typedef enum lstm_layout {
    LSTM_LAYOUT_PYTORCH = 0,
    LSTM_LAYOUT_KERAS = 1,
    LSTM_LAYOUT_ONNX = 2,
    LSTM_LAYOUT_ONEDNN = 3
} lstm_layout;

/**
 * Sets the weights of one direction of one layer.
 *
 * A layer in evaluation mode uses them from its next forward on. Before the next step
 * of a stream, call lstm_layer_set_training(layer, false).
 *
 * @param layer a layer
 * @param index which layer, 0 to L - 1
 * @param direction 0 forward, 1 reverse
 * @param layout layout of the arrays
 * @param input weights of the input; see the table
 * @param recurrent weights of the hidden state
 * @param bias biases; NULL for zeros; must be NULL for a layer without biases
 * @param projection weights of the projection; must be NULL for a layer without a
 *        projection
 * @retval LSTM_OK the weights were set
 * @retval LSTM_INVALID_ARGUMENT layer, input or recurrent is NULL; index, direction or
 *         layout is out of range; bias is not NULL and the layer has no biases;
 *         projection is NULL and the layer has one, or is not NULL and the layer has
 *         none; nothing was changed
 * @retval LSTM_UNSUPPORTED the layer has a projection, which the layout does not
 *         support
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_set_weights(lstm_layer *layer, size_t index, size_t direction,
                                   lstm_layout layout, const float *input,
                                   const float *recurrent, const float *bias,
                                   const float *projection);

/**
 * Reads the weights of one direction of one layer.
 *
 * @param layer a layer
 * @param index which layer, 0 to L - 1
 * @param direction 0 forward, 1 reverse
 * @param layout layout of the arrays
 * @param[out] input weights of the input; see the table; NULL when not wanted
 * @param[out] recurrent weights of the hidden state; NULL when not wanted
 * @param[out] bias biases, zeros for a layer without biases; NULL when not wanted
 * @param[out] projection weights of the projection; NULL when not wanted, and for a
 *        layer without one
 * @retval LSTM_OK the arrays were written
 * @retval LSTM_INVALID_ARGUMENT layer is NULL; index, direction or layout is out of
 *         range; or projection is not NULL and the layer has none; nothing was written
 * @retval LSTM_UNSUPPORTED the layer has a projection, which the layout does not
 *         support
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_get_weights(const lstm_layer *layer, size_t index,
                                   size_t direction, lstm_layout layout, float *input,
                                   float *recurrent, float *bias, float *projection);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
