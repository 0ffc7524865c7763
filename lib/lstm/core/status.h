/**
 * @file
 * Failures: functions that set the message and return the status.
 */
#ifndef LSTM_CORE_STATUS_H
#define LSTM_CORE_STATUS_H

#include <stdint.h>

#include <lstm/status.h>

/**
 * Sets the message of this thread and returns status, so that a failure is one line:
 * `return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: hidden is 0, expected at least 1");`
 */
lstm_status lstm_fail(lstm_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fails because an argument is NULL: "object: argument is NULL". */
lstm_status lstm_fail_null(const char *object, const char *argument);

enum {
    /** Length of the reserved array of each public struct of options. */
    LSTM_RESERVED = 8
};

/**
 * Rejects options of a later version: fails with LSTM_UNSUPPORTED if a reserved value
 * of a struct of options is not zero. The message names the first such value. Each call
 * that takes such a struct checks this before the other fields.
 */
lstm_status lstm_check_reserved(const char *object,
                                const uint64_t reserved[LSTM_RESERVED]);

/** Fails because there is not enough memory: "object: out of memory". */
lstm_status lstm_fail_memory(const char *object);

#endif
