/**
 * @file
 * Commands in messages, which a user copies to a shell.
 */
#ifndef EXAMPLES_COMMON_SHELL_H
#define EXAMPLES_COMMON_SHELL_H

#include <stdbool.h>
#include <stddef.h>

/** Appends length bytes of text to a command in memory of size bytes; false if they do
 *  not fit. */
bool shell_append(char *command, size_t size, const char *text, size_t length);

/** Appends the name of a file as one word, in quotes where the shell needs them, and
 *  not as an option; false if it does not fit, or has control characters, which a
 *  terminal does not show. */
bool shell_append_file(char *command, size_t size, const char *name);

#endif
