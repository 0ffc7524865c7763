/**
 * @file
 * The network of a training: an LSTM of one input, and a linear layer of one output, to
 * which the input may be added.
 */
#ifndef EXAMPLES_AMP_NETWORK_H
#define EXAMPLES_AMP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/amp/options.h"

/** A network; zero at first. */
typedef struct network {
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_adam *adam;
    bool skip;
    /** Of the sounds, in Hz. */
    uint32_t rate;
} network;

/** Creates a network; false after an error message. network_destroy() is needed in any
 *  case. */
bool network_create(network *net, const amp_options *options, uint32_t rate,
                    lstm_rng *rng);

/** Frees the members. */
void network_destroy(network *net);

/**
 * Computes outputs of samples with zeros as first states, in evaluation mode.
 *
 * @param x [count]
 * @param[out] y [count]
 * @return false after an error message
 */
bool network_run(network *net, const float *x, float *y, size_t count);

/** Whether the network can be written to all files of the options, and may replace what
 *  is there; false after an error message. */
bool network_may_write(const network *net, const amp_options *options);

/** Writes the network to all files of the options; false after an error message. */
bool network_write(const network *net, const amp_options *options);

#endif
