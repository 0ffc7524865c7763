/**
 * @file
 * How a call fails: one function that sets the message and returns the status.
 */
#ifndef LSTM_CORE_STATUS_H
#define LSTM_CORE_STATUS_H

#include <stdint.h>

#include <lstm/status.h>

/**
 * Sets the message of this thread and returns status, so that a failing path reads
 * `return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: hidden is 0, expected at least 1");`
 */
lstm_status lstm_fail(lstm_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fails because an argument is NULL: "object: argument is NULL". */
lstm_status lstm_fail_null(const char *object, const char *argument);

enum {
    /** Length of the array that ends each public struct of options. */
    LSTM_RESERVED = 8
};

/**
 * Refuses options of a later version: every value of the tail of a public struct of
 * options is 0, or the message names the first one that is not. Each call that takes
 * such a struct makes this check before all others of the struct.
 */
lstm_status lstm_check_reserved(const char *object,
                                const uint64_t reserved[LSTM_RESERVED]);

/** Fails because memory could not be had: "object: out of memory". */
lstm_status lstm_fail_memory(const char *object);

#endif
