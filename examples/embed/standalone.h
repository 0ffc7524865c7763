/**
 * @file
 * Prints a model as a program: inference in plain C99.
 */
#ifndef EXAMPLES_EMBED_STANDALONE_H
#define EXAMPLES_EMBED_STANDALONE_H

#include <stdbool.h>

#include <lstm/file.h>

/** What is printed. */
typedef struct standalone {
    /** Name of the model in messages, and in the comment of the file. */
    const char *path, *title;
    /** Begins the names in the file. */
    const char *name;
    /** Prefixes of the LSTM, NULL for the only one, and of the linear layer, NULL for
     * fc if the file has it. */
    const char *prefix, *head;
} standalone;

/**
 * Prints the source to standard output.
 *
 * @return false after an error message, with nothing printed: the model needs something
 *         that the source does not compute
 */
bool standalone_print(const standalone *what, lstm_file *file);

#endif
