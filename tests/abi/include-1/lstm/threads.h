#ifndef LSTM_THREADS_H
#define LSTM_THREADS_H
#include <stdbool.h>
#include <stddef.h>
#include <lstm/export.h>
#include <lstm/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
#define LSTM_MAX_THREADS 64
LSTM_API
lstm_status lstm_set_threads(size_t threads);
LSTM_API
size_t lstm_threads(void);
LSTM_API
const char *lstm_kernels_name(void);
LSTM_API
void lstm_set_reproducible(bool reproducible);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
