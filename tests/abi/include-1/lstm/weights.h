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
typedef enum lstm_layout {
    LSTM_LAYOUT_PYTORCH = 0,
    LSTM_LAYOUT_KERAS = 1,
    LSTM_LAYOUT_ONNX = 2,
    LSTM_LAYOUT_ONEDNN = 3
} lstm_layout;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_set_weights(lstm_layer *layer, size_t index, size_t direction,
                                   lstm_layout layout, const float *input,
                                   const float *recurrent, const float *bias,
                                   const float *projection);
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
