/**
 * @file
 * Messages of a program on standard error.
 *
 * Every message is one line and first clears the progress line. It is as
 * message_clean() makes it.
 */
#ifndef EXAMPLES_COMMON_MESSAGE_H
#define EXAMPLES_COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Sets the name of the program, which begins its errors. Call it first: it also makes
 * sure that no file which the program opens takes the place of a standard stream that
 * is closed, and that a limit of file sizes is an error of the write.
 */
void message_set_program(const char *name);

/** The name of the program. */
const char *message_program(void);

/** Suppresses message_info(). */
void message_set_quiet(bool quiet);

/** Suppresses all messages, for a process that does what another one does, too. */
void message_set_mute(bool mute);

/**
 * Replaces by '?' what would do anything else on a terminal than be printed: control
 * characters, ends of lines, characters that change the direction of text, and bytes
 * that are not UTF-8. Names of files may have all of these.
 *
 * @param size of the array
 */
void message_clean(char *text, size_t size);

/**
 * Copies a message of libmnist. Where it says that the field limit can allow more, the
 * copy names the option: --limit.
 *
 * @param size of the array out
 */
void message_with_limit(const char *text, char *out, size_t size);

/** Prints one line unless quiet. */
__attribute__((format(printf, 1, 2))) void message_info(const char *format, ...);

/** Prints a warning, also when quiet. */
__attribute__((format(printf, 1, 2))) void message_warning(const char *format, ...);

/** Prints an error and returns false, so that callers can return the call itself. */
__attribute__((format(printf, 1, 2))) bool message_error(const char *format, ...);

/** Message of the current errno, or of EIO if it is 0. */
const char *message_errno(void);

/** Why a path cannot be opened, or written: the message of the current errno, or more,
 * such as that a symbolic link leads to nothing. Valid until the next call. */
const char *message_reason(const char *path);
const char *message_write_reason(const char *path);

/** Whether standard error is a terminal that can redraw a line; false for TERM=dumb. */
bool message_has_terminal(void);

/** Columns of the terminal: as it says, else $COLUMNS, else 80. */
size_t message_columns(void);

/** Replaces the progress line, which stays until the next message or
 *  message_clear_progress(). It is cut at the width of the terminal. */
__attribute__((format(printf, 1, 2))) void message_progress(const char *format, ...);

/** Clears the progress line, so that standard output can use the terminal. */
void message_clear_progress(void);

/**
 * Flushes standard output at the end of a program.
 *
 * @return status; but EXIT_FAILURE, after an error message, if status is 0 and output
 *         was lost, for example on a full disk
 */
int message_finish(int status);

#endif
