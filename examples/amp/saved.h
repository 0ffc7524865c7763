/**
 * @file
 * A model in a safetensors file: one of a training, or of liblstm-convert.
 */
#ifndef EXAMPLES_AMP_SAVED_H
#define EXAMPLES_AMP_SAVED_H

#include <stdbool.h>

#include "examples/amp/options.h"
#include "examples/stream/model.h"

/** A model; zero at first. */
typedef struct saved {
    model model;
    /** In Hz; 0 if the file does not tell it. */
    double rate;
    /** In dB, as in the file. */
    double in_gain, out_gain;
    /** Of the head's output; NULL: none. */
    char *activation;
} saved;

/** Loads a model of one input and one output; false after an error message, which for
 *  files of other programs has the command that converts them. saved_destroy() is
 * needed in any case. */
bool saved_load(saved *s, const char *path);

/** Frees the members. */
void saved_destroy(saved *s);

/** Writes a model in other formats; false after an error message. */
bool saved_export(const amp_options *options);

#endif
