/**
 * @file
 * What mnist-train says on standard error.
 *
 * A live line of progress may stand there; every message clears it first.
 */
#ifndef EXAMPLES_TRAIN_MESSAGE_H
#define EXAMPLES_TRAIN_MESSAGE_H

#include <stdbool.h>

/** Silences message_info(). */
void message_set_quiet(bool quiet);

/** One line for people, unless quiet. */
__attribute__((format(printf, 1, 2))) void message_info(const char *format, ...);

/** One line that is never silenced: a warning. */
__attribute__((format(printf, 1, 2))) void message_warning(const char *format, ...);

/** One line that names why the program fails; returns false for the caller to pass on.
 */
__attribute__((format(printf, 1, 2))) bool message_error(const char *format, ...);

/** Text of errno. */
const char *message_errno(void);

/** Replaces the live line; it stays until the next message or message_clear_live(). */
__attribute__((format(printf, 1, 2))) void message_live(const char *format, ...);

/** Takes the live line away, so that standard output can use the terminal. */
void message_clear_live(void);

#endif
