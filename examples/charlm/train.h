/**
 * @file
 * Training and evaluation on a text.
 *
 * The text is split into equal sections, which form the batch. Training uses truncated
 * backpropagation through time with chunks of TRAIN_STEPS bytes: the final states of a
 * chunk are the initial states of the next one.
 */
#ifndef EXAMPLES_CHARLM_TRAIN_H
#define EXAMPLES_CHARLM_TRAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/lstm.h>

#include "examples/charlm/model.h"

enum { TRAIN_ROWS = 16, TRAIN_STEPS = 32 };

/** Tensors of chunks of one length. */
typedef struct train_chunk {
    size_t steps;
    /** Time first: x and dx [T, N, E], out and dout [T, N, H]. */
    lstm_tensor *x, *dx, *out, *dout;
    /** [T * N, H], views of out and dout, and [T * N, bytes]. */
    lstm_tensor *rows, *drows, *logits, *dlogits;
} train_chunk;

/** A text, and memory for passes over it; zero at first. */
typedef struct train_pass {
    char_model *model;
    const unsigned char *text;
    /** Number of sections, and their size in bytes. */
    size_t rows, section;
    lstm_cross_entropy *loss;
    /** [1, N, H] states between chunks. */
    lstm_tensor *h, *c;
    train_chunk full, tail;
    int64_t inputs[TRAIN_STEPS * TRAIN_ROWS], targets[TRAIN_STEPS * TRAIN_ROWS];
} train_pass;

/** Prepares passes over a text of at least 2 bytes, which stays valid; false after an
 *  error message. train_destroy() is needed in any case. */
bool train_create(train_pass *pass, char_model *model, const unsigned char *text,
                  size_t size);

/** Frees the members. */
void train_destroy(train_pass *pass);

/** Trains on the whole text once. bits: mean bits per byte. False after an error
 *  message, also if the loss is not finite. */
bool train_epoch(train_pass *pass, double *bits);

/** Computes the mean bits per byte without training. */
bool train_evaluate(train_pass *pass, double *bits);

#endif
