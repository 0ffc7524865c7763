/**
 * @file
 * What a model file says beside its weights, and what of it a program obeys; see
 * docs/file-format.md.
 *
 * The key "scale" and those that begin with "model." may change the outputs, and so do
 * first states and an embedding. A program refuses what it does not obey.
 */
#ifndef EXAMPLES_COMMON_RULES_H
#define EXAMPLES_COMMON_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/file.h>
#include <lstm/params.h>

/** A key that a program obeys. */
typedef struct rule {
    const char *key;
    /** Its values that the program obeys, ended by NULL; NULL for all, which the
     *  program checks. */
    const char *const *values;
} rule;

/** Values of "model.output" with which a sequence read from the first step to the last
 *  has its answer at the last step, also the final states of one direction. */
extern const char *const rules_forward_outputs[];
/** Values of "model.activation" after which a softmax gives what it gives before. */
extern const char *const rules_probabilities[];

/** Whether a key of the metadata may change the outputs. */
bool rules_is_key(const char *key);

/**
 * Checks that a program obeys all keys of a model.
 *
 * @param path for the message
 * @param rules ended by one without key
 * @param[out] why [size] on failure, one line that names the key
 */
bool rules_check_keys(const lstm_file *file, const char *path, const rule *rules,
                      char *why, size_t size);

/** Checks that a model has no first states of an LSTM, and no embedding unless the
 *  program has one; why as above names the tensor. */
bool rules_check_tensors(const lstm_file *file, const char *path, const char *prefix,
                         bool embedding, char *why, size_t size);

/** Whether a tensor has the scales of a matrix in int8, of, which is then described. */
bool rules_is_scale(const lstm_file *file, const char *name, lstm_tensor_info *of);

/**
 * Checks that a file has no tensors but the parameters, their scales and moments of an
 * optimiser.
 *
 * @param others names that are allowed, too, ended by NULL; or NULL
 */
bool rules_check_surplus(const lstm_file *file, const char *path,
                         const lstm_params *params, const char *const *others,
                         char *why, size_t size);

/** Whether a list of words, separated by blanks, contains a word. */
bool rules_contain(const char *list, const char *word);

#endif
