/**
 * @file
 * Status of calls, and the message of the last failure.
 */
#ifndef LSTM_STATUS_H
#define LSTM_STATUS_H

#include <lstm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Status of a call. The values are part of the binary interface and never change. */
typedef enum lstm_status {
    /** The call succeeded. */
    LSTM_OK = 0,
    /** An argument is NULL, out of range, or not one of the documented values. */
    LSTM_INVALID_ARGUMENT = 1,
    /** An argument has a wrong shape; the message shows the expected shape. */
    LSTM_SHAPE_MISMATCH = 2,
    /** There is not enough memory. */
    LSTM_OUT_OF_MEMORY = 3,
    /** An operation on a file failed; the message contains the operating system's
     * reason. */
    LSTM_IO_ERROR = 4,
    /** The content of a file is not valid. */
    LSTM_BAD_FILE = 5,
    /** Another call is required before this one, such as a forward before a backward.
     */
    LSTM_INVALID_STATE = 6,
    /** A value that must be finite is NaN or infinite. */
    LSTM_NOT_FINITE = 7,
    /** This version or build of the library does not support an option. */
    LSTM_UNSUPPORTED = 8
} lstm_status;

/**
 * Returns the name of a status, for example "LSTM_SHAPE_MISMATCH".
 *
 * @param status any value
 * @return a string that is valid as long as the library; "unknown status" for values
 *         that are not in the enumeration
 * @since 1.0
 */
LSTM_API
const char *lstm_status_name(lstm_status status);

/**
 * Returns the message of the last failure in this thread.
 *
 * The message is one line in lower case without a line feed. It starts with the object,
 * and shows the found and the expected values, for example "layer: x is [64, 27, 28],
 * expected [N, T, 32]". Calls that succeed do not change it, so use it only directly
 * after a failure.
 *
 * @return a string that is valid as long as the thread, and changes at the next
 *         failure; "" before the first failure
 * @since 1.0
 */
LSTM_API
const char *lstm_last_error(void);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
