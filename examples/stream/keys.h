/*
 * The keys of a model file; see docs/file-format.md.
 */
#ifndef STREAM_KEYS_H
#define STREAM_KEYS_H

#include <stddef.h>

#include <lstm/lstm.h>

typedef enum {
    ACTIVATION_NONE,
    ACTIVATION_SIGMOID,
    ACTIVATION_TANH,
    ACTIVATION_RELU,
    ACTIVATION_SOFTMAX,
    ACTIVATION_LOG_SOFTMAX
} activation;

typedef struct {
    /* Inputs are (value - mean) / deviation; outputs are scaled back. */
    double mean, deviation;
    /* Factors. */
    double in_gain, out_gain;
    /* Number of inputs that are added to the outputs. */
    size_t skip;
    activation activation;
} keys;

/* Reads the keys of a model; exits with a message if one is not valid. path is for
 * messages; most is the largest valid skip. */
void read_keys(keys *k, const char *path, const lstm_file *file, size_t most);

/* The input of the network for a value. */
float scale_input(const keys *k, double value);

/* Applies the activation, skip, gain and scale to y [1, outputs]; x [1, inputs] is the
 * input of the network. */
lstm_status finish_output(const keys *k, const lstm_tensor *x, lstm_tensor *y,
                          double *values);

#endif
