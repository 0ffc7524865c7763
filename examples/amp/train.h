/**
 * @file
 * Trains a network on a pair of sounds.
 *
 * The training part is split into segments of half a second. Each epoch takes them in a
 * random order, in batches of equal size: zeros as first states, a warm-up, and then
 * updates every options->steps samples, with truncated backpropagation through time.
 * The validation part is one sequence, with a warm-up in front of it.
 */
#ifndef EXAMPLES_AMP_TRAIN_H
#define EXAMPLES_AMP_TRAIN_H

#include <stdbool.h>

#include "examples/amp/network.h"
#include "examples/amp/options.h"
#include "examples/amp/pair.h"

/** Trains, writes the best epoch and prints its error; false after an error message. */
bool train_run(network *net, const pair *sounds, const amp_options *options,
               lstm_rng *rng);

#endif
