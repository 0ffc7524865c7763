/**
 * @file
 * Weights of a layer as arrays, in the layouts of other frameworks.
 *
 * Arrays are row-major and without gaps. For one direction of one layer with I inputs
 * (of a layer above the first I = D*S), S = P with projection, else H:
 *
 * | layout  | input    | recurrent | bias     | projection | gates      |
 * | ------- | -------- | --------- | -------- | ---------- | ---------- |
 * | PyTorch | [4*H, I] | [4*H, S]  | [2, 4*H] | [P, H]     | i, f, g, o |
 * | Keras   | [I, 4*H] | [H, 4*H]  | [4*H]    |            | i, f, g, o |
 * | ONNX    | [4*H, I] | [4*H, H]  | [2, 4*H] |            | i, o, f, g |
 * | oneDNN  | [I, 4*H] | [S, 4*H]  | [4*H]    | [H, P]     | i, f, g, o |
 *
 * PyTorch: weight_ih, weight_hh, bias_ih then bias_hh, weight_hr. Keras: kernel,
 * recurrent_kernel, bias, whose g is called c. ONNX: W, R and B of one direction, B
 * being Wb then Rb. oneDNN: ldigo for the weights, ldgo for the bias, ldio for the
 * projection, of one l and d.
 *
 * Values are moved, not changed: what was set is got again, bit for bit. Where there is
 * one bias it becomes bias_ih, and bias_hh becomes zero; the other way their sum is
 * got, which is all that a layer ever uses of the two, so outputs keep their bits.
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

/** Who lays the arrays out; see the table above. */
typedef enum lstm_layout {
    LSTM_LAYOUT_PYTORCH = 0,
    LSTM_LAYOUT_KERAS = 1,
    LSTM_LAYOUT_ONNX = 2,
    LSTM_LAYOUT_ONEDNN = 3
} lstm_layout;

/**
 * Sets the weights of one direction of one layer.
 *
 * A layer in evaluation mode takes them at its next forward; for streams
 * lstm_layer_set_training(layer, false) comes after this.
 *
 * @param layer a layer
 * @param index which layer, 0 to L - 1
 * @param direction 0 forward, 1 reverse
 * @param layout how the arrays are laid out
 * @param input weights of the input, as in the table
 * @param recurrent weights of the hidden state
 * @param bias NULL for zeros, and for a layer without biases
 * @param projection NULL for a layer without a projection
 * @retval LSTM_OK set
 * @retval LSTM_INVALID_ARGUMENT layer, input or recurrent is NULL; index, direction or
 *         layout is out of range; the layer has no biases and bias is given; or
 *         projection is NULL for a layer that has one, or given for one that has none;
 *         nothing was changed
 * @retval LSTM_UNSUPPORTED the layer has a projection, but the layout knows none
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
 * @param layout how the arrays are laid out
 * @param[out] input weights of the input, as in the table; NULL when not wanted
 * @param[out] recurrent weights of the hidden state; NULL when not wanted
 * @param[out] bias NULL when not wanted; zeros of a layer without biases
 * @param[out] projection NULL when not wanted, and for a layer without one
 * @retval LSTM_OK written
 * @retval LSTM_INVALID_ARGUMENT layer is NULL; index, direction or layout is out of
 *         range; or projection is given for a layer that has none; nothing was written
 * @retval LSTM_UNSUPPORTED the layer has a projection, but the layout knows none
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
