#ifndef LSTM_STATUS_H
#define LSTM_STATUS_H
#include <lstm/export.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum lstm_status {
    LSTM_OK = 0,
    LSTM_INVALID_ARGUMENT = 1,
    LSTM_SHAPE_MISMATCH = 2,
    LSTM_OUT_OF_MEMORY = 3,
    LSTM_IO_ERROR = 4,
    LSTM_BAD_FILE = 5,
    LSTM_INVALID_STATE = 6,
    LSTM_NOT_FINITE = 7,
    LSTM_UNSUPPORTED = 8
} lstm_status;
LSTM_API
const char *lstm_status_name(lstm_status status);
LSTM_API
const char *lstm_last_error(void);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
