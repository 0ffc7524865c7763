/**
 * @file
 * Finds the LSTM and the linear layer of a classifier in a file of any program.
 */
#ifndef EXAMPLES_PREDICT_FIND_H
#define EXAMPLES_PREDICT_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

/** A file, and what is searched in it. */
typedef struct finder {
    lstm_file *file;
    const char *path;
    /** On failure, one line. */
    char *why;
    size_t why_size;
} finder;

/**
 * Finds the LSTM.
 *
 * @param[in,out] prefix the LSTM that is wanted; NULL for the only one, which is
 * written
 * @param inputs that it must have
 * @return false if the file does not have it, has several, or its inputs differ; the
 *         message lists the content of the file
 */
bool find_lstm(const finder *in, const char **prefix, size_t inputs);

/**
 * Finds the linear layer after the LSTM: the only matrix "NAME.weight" with that number
 * of columns, whose outputs no other linear layer has as inputs.
 *
 * @param wanted its name; NULL to search
 * @param lstm prefix of the LSTM
 * @param inputs that it must have
 * @param[out] name its name, freed with free()
 * @return false if there is none or several; the message lists the content of the file
 */
bool find_head(const finder *in, const char *wanted, const char *lstm, size_t inputs,
               char **name);

/** Writes the names and shapes of tensors that belong to none of these, of which any
 * may be NULL, separated by commas; returns their number.
 *
 * @param other prefix of a second LSTM
 */
size_t find_rest(const finder *in, const char *lstm, const char *other,
                 const char *head, char *text, size_t size);

#endif
