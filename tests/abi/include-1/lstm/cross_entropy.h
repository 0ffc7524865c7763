#ifndef LSTM_CROSS_ENTROPY_H
#define LSTM_CROSS_ENTROPY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/loss.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_cross_entropy_config {
    lstm_reduction reduction;
    const float *class_weights;
    size_t classes;
    bool ignore;
    int64_t ignore_index;
    double label_smoothing;
    bool zero_mean_of_none;
    uint64_t reserved[8];
} lstm_cross_entropy_config;
typedef struct lstm_cross_entropy lstm_cross_entropy;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_cross_entropy_create(lstm_cross_entropy **out,
                                      const lstm_cross_entropy_config *config);
LSTM_API
void lstm_cross_entropy_destroy(lstm_cross_entropy **loss);
LSTM_API
lstm_status lstm_cross_entropy_forward(lstm_cross_entropy *loss,
                                       const lstm_tensor *logits,
                                       const int64_t *targets, float *value);
LSTM_API
lstm_status lstm_cross_entropy_forward_probabilities(lstm_cross_entropy *loss,
                                                     const lstm_tensor *logits,
                                                     const lstm_tensor *targets,
                                                     float *value);
LSTM_API
lstm_status lstm_cross_entropy_backward(lstm_cross_entropy *loss, const float *dvalue,
                                        lstm_tensor *dlogits);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
