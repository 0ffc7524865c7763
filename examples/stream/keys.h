/**
 * @file
 * The keys of a model file; see docs/file-format.md.
 */
#ifndef EXAMPLES_STREAM_KEYS_H
#define EXAMPLES_STREAM_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

typedef enum activation {
    ACTIVATION_NONE,
    ACTIVATION_SIGMOID,
    ACTIVATION_TANH,
    ACTIVATION_RELU,
    ACTIVATION_SOFTMAX,
    ACTIVATION_LOG_SOFTMAX
} activation;

/** What the keys say. */
typedef struct model_keys {
    /** Inputs are (value - mean) / deviation; outputs are scaled back. */
    double mean, deviation;
    /** Factors. */
    double in_gain, out_gain;
    /** Number of inputs that are added to the outputs. */
    size_t skip;
    activation activation;
    /** Whether inputs and outputs are differences from the value of the step before. */
    bool differences;
} model_keys;

/**
 * Reads the keys of a model.
 *
 * @param path for messages
 * @param prefix of the LSTM that runs
 * @param most the largest valid skip
 * @return false after an error message: a key has an invalid value, or its name begins
 *         with "model." and it is not known
 */
bool keys_read(model_keys *keys, const char *path, const lstm_file *file,
               const char *prefix, size_t most);

/** The input of the network for a value; infinite if it is beyond float32. */
float keys_scale_input(const model_keys *keys, double value);

/** Number of significant digits with which an output keeps the precision of float32,
 *  for outputs that are small differences around a large mean, too; nearly all digits
 * of double for differences. */
int keys_digits(const model_keys *keys);

/** Applies the activation, skip, gain and scale to y [1, outputs]; x [1, inputs] is the
 *  input of the network. values: [outputs]. */
lstm_status keys_finish_output(const model_keys *keys, const lstm_tensor *x,
                               lstm_tensor *y, double *values);

#endif
