#ifndef LSTM_LINEAR_H
#define LSTM_LINEAR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_linear_config {
    size_t inputs;
    size_t outputs;
    bool no_bias;
    uint64_t reserved[8];
} lstm_linear_config;
typedef struct lstm_linear lstm_linear;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_create(lstm_linear **out, const lstm_linear_config *config,
                               lstm_rng *rng);
LSTM_API
const lstm_linear_config *lstm_linear_get_config(const lstm_linear *linear);
LSTM_API
void lstm_linear_destroy(lstm_linear **linear);
LSTM_API
lstm_status lstm_linear_forward(lstm_linear *linear, const lstm_tensor *x,
                                lstm_tensor *y);
LSTM_API
lstm_status lstm_linear_backward(lstm_linear *linear, const lstm_tensor *dy,
                                 lstm_tensor *dx);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
