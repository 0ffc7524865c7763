/**
 * @file
 * A language model over bytes: an embedding, an LSTM and a linear layer; and its file.
 */
#ifndef EXAMPLES_CHARLM_MODEL_H
#define EXAMPLES_CHARLM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/charlm/text.h"

/** What a file has beside the network: the run that it belongs to. */
typedef struct char_run {
    /** Epochs that are done. */
    uint64_t epochs;
    /** Size and hash of the whole text. */
    uint64_t size, hash;
    /** Share of the text, at its end, that is not trained on. */
    double held_out;
    /** Whether the text is valid UTF-8. */
    bool utf8;
    /** Bytes that occur in the text. */
    bool occurs[TEXT_BYTES];
} char_run;

/** A model; zero at first. */
typedef struct char_model {
    lstm_embedding *embedding;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_adam *adam;
} char_model;

/** Size of a row of the embedding. */
enum { MODEL_EMBEDDING = 64 };

/** Creates a model; false after an error message, with nothing to free. */
bool model_create(char_model *m, size_t hidden, uint64_t seed);

/** Frees the members. */
void model_destroy(char_model *m);

/** Saves the model, the optimiser and the run; false after an error message. */
bool model_save(const char_model *m, const char *path, const char_run *run);

/** Creates a model from a file of model_save(); false after an error message, with
 *  nothing to free. */
bool model_load(char_model *m, const char *path, char_run *run);

#endif
