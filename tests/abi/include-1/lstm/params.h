#ifndef LSTM_PARAMS_H
#define LSTM_PARAMS_H
#include <stdbool.h>
#include <stddef.h>
#include <lstm/embedding.h>
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_params lstm_params;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_create(lstm_params **out);
LSTM_API
void lstm_params_destroy(lstm_params **params);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_layer(lstm_params *params, const char *prefix,
                                  lstm_layer *layer);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_linear(lstm_params *params, const char *prefix,
                                   lstm_linear *linear);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_embedding(lstm_params *params, const char *prefix,
                                      lstm_embedding *embedding);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_add_tensor(lstm_params *params, const char *name,
                                   lstm_tensor *value, lstm_tensor *grad);
LSTM_API
size_t lstm_params_size(const lstm_params *params);
LSTM_API
size_t lstm_params_count(const lstm_params *params);
LSTM_API
const char *lstm_params_name(const lstm_params *params, size_t index);
LSTM_API
lstm_tensor *lstm_params_value(const lstm_params *params, size_t index);
LSTM_API
lstm_tensor *lstm_params_grad(const lstm_params *params, size_t index);
LSTM_API
lstm_status lstm_params_set_trainable(lstm_params *params, size_t index,
                                      bool trainable);
LSTM_API
bool lstm_params_trainable(const lstm_params *params, size_t index);
LSTM_API
lstm_status lstm_params_get_values(const lstm_params *params, float *values);
LSTM_API
lstm_status lstm_params_set_values(lstm_params *params, const float *values);
LSTM_API
lstm_status lstm_params_get_grads(const lstm_params *params, float *grads);
LSTM_API
lstm_status lstm_params_set_grads(lstm_params *params, const float *grads);
LSTM_API
lstm_status lstm_params_zero_grad(lstm_params *params);
LSTM_API
lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm);
LSTM_API
lstm_status lstm_params_clip_value(lstm_params *params, double limit);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
