/**
 * @file
 * What every fallible call returns, and where its message is.
 */
#ifndef LSTM_STATUS_H
#define LSTM_STATUS_H

#include <lstm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Outcome of a call. Values are part of the ABI and never change. */
typedef enum lstm_status {
    /** The call did all that it promises. */
    LSTM_OK = 0,
    /** An argument is NULL, out of range, or not one of the documented values. */
    LSTM_INVALID_ARGUMENT = 1,
    /** The shapes of two arguments do not belong together; the message shows both. */
    LSTM_SHAPE_MISMATCH = 2,
    /** Memory could not be had; everything is as it was before the call. */
    LSTM_OUT_OF_MEMORY = 3,
    /** The operating system refused an operation on a file; the message says why. */
    LSTM_IO_ERROR = 4,
    /** A file was read, but its content is not what it has to be. */
    LSTM_BAD_FILE = 5,
    /** The call needs another one before it, such as backward without a forward. */
    LSTM_INVALID_STATE = 6,
    /** A value that has to be finite is NaN or infinite. */
    LSTM_NOT_FINITE = 7,
    /** The option exists, but not in this version, build, or processor. */
    LSTM_UNSUPPORTED = 8
} lstm_status;

/**
 * Name of a status, for example "LSTM_SHAPE_MISMATCH".
 *
 * @param status any value, also one that is not in the enumeration
 * @return a string that lives as long as the library; "unknown status" for other values
 * @since 1.0
 */
LSTM_API
const char *lstm_status_name(lstm_status status);

/**
 * Message of the last call that failed in this thread.
 *
 * One line without a line feed, lower case, the object first, with the numbers that
 * were found and those that were expected, for example "layer: x is [64, 27, 28],
 * expected [N, T, 32]". Calls that succeed leave it alone, so it is to be read after a
 * failure and before the next one.
 *
 * @return a string that lives as long as the thread and changes with its next failure;
 *         "" when no call has failed yet
 * @since 1.0
 */
LSTM_API
const char *lstm_last_error(void);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
