/**
 * @file
 * Applies a model to a sound.
 */
#ifndef EXAMPLES_AMP_PLAY_H
#define EXAMPLES_AMP_PLAY_H

#include <stdbool.h>

#include "examples/amp/options.h"

/** Plays a sound through a model and writes what comes out; false after an error
 *  message. */
bool play_run(const amp_options *options);

#endif
