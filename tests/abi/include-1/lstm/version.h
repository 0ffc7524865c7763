#ifndef LSTM_VERSION_H
#define LSTM_VERSION_H
#include <lstm/export.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
#define LSTM_VERSION_MAJOR 1
#define LSTM_VERSION_MINOR 0
#define LSTM_VERSION_PATCH 0
LSTM_API
const char *lstm_version(void);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
