#ifndef LSTM_STREAM_H
#define LSTM_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_stream lstm_stream;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_stream_create(lstm_stream **out, const lstm_layer *layer,
                               const lstm_linear *head, size_t batch);
LSTM_API
void lstm_stream_destroy(lstm_stream **stream);
LSTM_API
lstm_status lstm_stream_step(lstm_stream *stream, const lstm_tensor *x, lstm_tensor *y);
LSTM_API
lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows);
LSTM_API
lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c);
LSTM_API
lstm_status lstm_stream_set_state(lstm_stream *stream, const lstm_tensor *h,
                                  const lstm_tensor *c);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
