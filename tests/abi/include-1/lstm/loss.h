#ifndef LSTM_LOSS_H
#define LSTM_LOSS_H
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum lstm_reduction {
    LSTM_REDUCTION_MEAN = 0,
    LSTM_REDUCTION_SUM = 1,
    LSTM_REDUCTION_NONE = 2
} lstm_reduction;
typedef struct lstm_loss_options {
    lstm_reduction reduction;
    const lstm_tensor *mask;
    const float *pos_weight;
    size_t classes;
    uint64_t reserved[8];
} lstm_loss_options;
LSTM_API
lstm_status lstm_mse_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value);
LSTM_API
lstm_status lstm_mse_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput);
LSTM_API
lstm_status lstm_bce_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value);
LSTM_API
lstm_status lstm_bce_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
