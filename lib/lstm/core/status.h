/**
 * @file
 * How a call fails: one function that sets the message and returns the status.
 */
#ifndef LSTM_CORE_STATUS_H
#define LSTM_CORE_STATUS_H

#include <lstm/status.h>

/**
 * Sets the message of this thread and returns status, so that a failing path reads
 * `return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: hidden is 0, expected at least 1");`
 */
lstm_status lstm_fail(lstm_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fails because an argument is NULL: "object: argument is NULL". */
lstm_status lstm_fail_null(const char *object, const char *argument);

/** Fails because memory could not be had: "object: out of memory". */
lstm_status lstm_fail_memory(const char *object);

#endif
