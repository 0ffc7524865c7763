/**
 * @file
 * --chrono: first biases of the gates for long sequences, of Tallec and Ollivier, "Can
 * recurrent neural networks warp time?", 2018.
 */
#ifndef EXAMPLES_TRAIN_CHRONO_H
#define EXAMPLES_TRAIN_CHRONO_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/digits/classifier.h"

/**
 * Sets the biases of the input and forget gates of all LSTMs to
 *
 *     forget = log(u), u uniform in [1, steps - 1),    input = -forget
 *
 * in bias_ih, and to 0 in bias_hh: units forget after about u steps. The numbers u are
 * drawn in the order of the parameters.
 *
 * @param steps at least 3; 0 changes nothing
 * @return false after an error message
 */
bool chrono_init(classifier *network, uint64_t steps, lstm_rng *rng);

#endif
