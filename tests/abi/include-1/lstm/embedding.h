#ifndef LSTM_EMBEDDING_H
#define LSTM_EMBEDDING_H
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
typedef struct lstm_embedding_config {
    size_t count;
    size_t size;
    bool padding;
    size_t padding_index;
    uint64_t reserved[8];
} lstm_embedding_config;
typedef struct lstm_embedding lstm_embedding;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_embedding_create(lstm_embedding **out,
                                  const lstm_embedding_config *config, lstm_rng *rng);
LSTM_API
void lstm_embedding_destroy(lstm_embedding **embedding);
LSTM_API
lstm_status lstm_embedding_forward(lstm_embedding *embedding, const int64_t *indices,
                                   lstm_tensor *y);
LSTM_API
lstm_status lstm_embedding_backward(lstm_embedding *embedding, const lstm_tensor *dy);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
