/*
 * A model of a file, step by step.
 */
#ifndef STREAM_MODEL_H
#define STREAM_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

#include "examples/stream/keys.h"

typedef struct {
    lstm_layer *layer;
    /* NULL: the layer's output is the model's output. */
    lstm_linear *head;
    lstm_stream *stream;
    /* Rows [count, I] of an embedding: the input is the index of a row; else NULL. */
    lstm_tensor *table;
    lstm_tensor *x, *y;
    /* Numbers in an input and in an output. */
    size_t inputs, outputs;
    /* [outputs] */
    double *values;
    keys keys;
} model;

/* Exits with a message if a call failed. */
void check(lstm_status status);

/* Loads a model; exits with a message if it cannot. */
void load_model(model *m, const char *path);

void destroy_model(model *m);

/* Sets number i of the input; false if it is not a valid index of the embedding. */
bool set_input(model *m, size_t i, double value);

/* Computes the output of a step. */
void step_model(model *m);

#endif
