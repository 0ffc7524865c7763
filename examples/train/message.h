/**
 * @file
 * Messages of mnist-train on standard error.
 *
 * Every message first clears the progress line.
 */
#ifndef EXAMPLES_TRAIN_MESSAGE_H
#define EXAMPLES_TRAIN_MESSAGE_H

#include <stdbool.h>

/** Suppresses message_info(). */
void message_set_quiet(bool quiet);

/** Prints one line unless quiet. */
__attribute__((format(printf, 1, 2))) void message_info(const char *format, ...);

/** Prints a warning, also when quiet. */
__attribute__((format(printf, 1, 2))) void message_warning(const char *format, ...);

/** Prints an error and returns false, so that callers can return the call itself. */
__attribute__((format(printf, 1, 2))) bool message_error(const char *format, ...);

/** Message of the current errno. */
const char *message_errno(void);

/** Replaces the progress line, which stays until the next message or
 *  message_clear_progress(). */
__attribute__((format(printf, 1, 2))) void message_progress(const char *format, ...);

/** Clears the progress line, so that standard output can use the terminal. */
void message_clear_progress(void);

#endif
