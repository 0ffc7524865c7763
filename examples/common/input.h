/**
 * @file
 * Reads a whole file or standard input.
 */
#ifndef EXAMPLES_COMMON_INPUT_H
#define EXAMPLES_COMMON_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/** The content of a file; freed with input_free(). */
typedef struct input {
    /** [size] bytes, and a byte 0 after them. */
    unsigned char *bytes;
    size_t size;
} input;

/** The argument that selects standard input. */
#define INPUT_STDIN "-"

/** Name of a path in messages: "standard input" for INPUT_STDIN, two quotes for an
 * empty one. */
const char *input_name(const char *path);

/**
 * Reads a file of at most limit bytes to its end.
 *
 * @return false after an error message that names the file: it cannot be opened, a read
 *         fails, it is larger than limit, or memory is exhausted; with nothing to free
 */
bool input_read(input *content, const char *path, size_t limit);

/** The same, but writes the message to why, [size], instead of printing it. */
bool input_try(input *content, const char *path, size_t limit, char *why, size_t size);

/** Frees the content; accepts one that is all zeros. */
void input_free(input *content);

#endif
