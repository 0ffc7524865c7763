/**
 * @file
 * A model of a file, step by step.
 */
#ifndef EXAMPLES_STREAM_MODEL_H
#define EXAMPLES_STREAM_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

#include "examples/stream/keys.h"

/** A model; zero at first. */
typedef struct model {
    lstm_layer *layer;
    /** NULL: the layer's output is the model's output. */
    lstm_linear *head;
    lstm_stream *stream;
    /** Rows [count, I] of an embedding: the input is the index of a row; else NULL. */
    lstm_tensor *table;
    lstm_tensor *x, *y;
    /** All weights of these, with their names. */
    lstm_params *params;
    /** Of the model, for messages. It stays valid. */
    const char *path;
    /** Names of the tensors of the first states, "PREFIX.h0" and "PREFIX.c0". */
    char *h_name, *c_name;
    /** Numbers in an input and in an output. */
    size_t inputs, outputs;
    /** [outputs] of the last step. */
    double *values;
    model_keys keys;
    /** With keys.differences: the value of the step before, if there was one, and of
     *  this one. */
    double before, value;
    bool has_before;
} model;

/**
 * Loads a model with its first states. Names the tensors of the file that it does not
 * use; refuses values that are not finite.
 *
 * @param prefix of the LSTM; NULL for the only one
 * @param head prefix of the linear layer; NULL for "fc", if the file has it
 * @return false after an error message; model_destroy() is still needed
 */
bool model_load(model *m, const char *path, const char *prefix, const char *head);

/** Frees the members. */
void model_destroy(model *m);

/** Reads the states from a file that has both; false after an error message, also if
 *  they are those of another model. A file that does not tell its model is accepted
 * with a warning. */
bool model_load_state(model *m, const char *path);

/** Whether the states may be saved to a path; false after an error message. */
bool model_may_save_state(const model *m, const char *path);

/** Writes the states to a file; false after an error message. */
bool model_save_state(const model *m, const char *path);

/** Sets number i of the input; false if it is not an index of the embedding, or beyond
 *  the range of float32. */
bool model_set_input(model *m, size_t i, double value);

/** Computes the output of a step to values; false after an error message, also if an
 *  output is not finite. */
bool model_step(model *m);

#endif
