/**
 * @file
 * Models in the formats of audio programs.
 *
 * nam:      Neural Amp Modeler; one array of all weights, with first states.
 * aidax:    AIDA-X and RTNeural; layers in the layout of Keras, with skip, activation
 *           and gains.
 * guitarml: GuitarML's programs; a state dict of PyTorch, with skip.
 *
 * Numbers have 9 digits, so that each float32 is read back exactly.
 */
#ifndef EXAMPLES_AMP_EXPORT_H
#define EXAMPLES_AMP_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

#include "examples/amp/options.h"

/** A model of one input and one output. */
typedef struct export_model {
    /** One direction, float32, no projection. */
    const lstm_layer *layer;
    /** [H] and [1] of the linear layer; bias is NULL for 0. */
    const float *weight, *bias;
    /** Whether the input is added to the output. */
    bool skip;
    /** In Hz; 0 if it is not known. */
    double rate;
    /** In dB. */
    double in_gain, out_gain;
    /** Name of the function of the head's output; NULL: none. */
    const char *activation;
    /** [L, H] first states; NULL: zeros. */
    const float *h, *c;
} export_model;

/** Whether a format has all that a model has; false after an error message. path: of
 *  the file, for the message. */
bool export_check(const export_model *model, amp_format format, const char *path);

/** Writes a model that export_check() accepts in a format other than safetensors; false
 *  after an error message. */
bool export_write(const export_model *model, amp_format format, const char *path);

#endif
