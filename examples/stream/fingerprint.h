/**
 * @file
 * Tells models apart that have the same sizes.
 */
#ifndef EXAMPLES_STREAM_FINGERPRINT_H
#define EXAMPLES_STREAM_FINGERPRINT_H

#include <lstm/lstm.h>

#include "examples/stream/keys.h"

/** 16 hexadecimal digits and the end. */
enum { FINGERPRINT_SIZE = 17 };

/** Writes a hash of what determines the states: the names and values of all weights,
 * and what the keys say about the input. It finds mistakes, not forgeries. */
void fingerprint_write(char *text, const lstm_params *params, const model_keys *keys);

#endif
