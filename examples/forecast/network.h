/**
 * @file
 * An LSTM that predicts the next value of a series.
 */
#ifndef EXAMPLES_FORECAST_NETWORK_H
#define EXAMPLES_FORECAST_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

/**
 * A network and the values that it knows.
 *
 * The values are divided by a power of two, so that squares of them neither overflow
 * nor vanish. The network sees them, or their differences if these vary less, with mean
 * 0 and standard deviation 1 on the training values.
 */
typedef struct network {
    /** [count] the values divided by 2^exponent. */
    double *values;
    size_t count, train_count;
    int exponent;
    bool differences;
    double mean, deviation;
    /** Whether the values, or their differences, are all equal: there is nothing to
     *  learn, and no network. */
    bool constant;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_stream *stream;
} network;

/** Trains on all but the last fifth of values [count]; false after an error message. */
bool network_train(network *net, const double *values, size_t count);

void network_destroy(network *net);

/**
 * Predicts each value from those before it, then the values after the last one.
 *
 * @param[out] predicted [count + steps] divided by 2^exponent; the first one is the
 *             first value
 * @param[out] errors [steps] root mean squared errors of predictions 1 to steps ahead
 *             on the values that are held out, not falling
 */
bool network_predict(network *net, size_t steps, double *predicted, double *errors);

/** Saves the model with the keys of docs/file-format.md; false after an error message.
 */
bool network_save(const network *net, const char *name, const char *path);

#endif
