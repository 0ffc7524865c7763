/**
 * @file
 * The network of the experiment: LSTM layers that read an image row by row, or in
 * another order, and a linear layer on the last time step of the top layer.
 */
#ifndef EXAMPLES_DIGITS_CLASSIFIER_H
#define EXAMPLES_DIGITS_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/digits/reading.h"

enum {
    /** LSTMs of a network, and directions of all of them. */
    CLASSIFIER_SIDES = 2,
    CLASSIFIER_PARTS = 4
};

/** The options of a network. */
typedef struct classifier_config {
    /** Of the LSTM, without inputs and batch_first, which follow from the order. */
    lstm_layer_config layers;
    reading order;
    /** Layers of the LSTM over columns, with READING_BOTH. */
    size_t column_layers;
    /** Size of an image. */
    size_t rows, cols;
    size_t classes;
} classifier_config;

/** The network. Its parameters have the prefixes "lstm.", "columns." and "fc.", as in
 *  PyTorch. */
typedef struct classifier {
    classifier_config config;
    /** The LSTM that reads columns is NULL except with READING_BOTH. */
    lstm_layer *lstm, *columns;
    lstm_linear *fc;
    lstm_params *params;
    /** [rows * cols], by classifier_permute(); or NULL. */
    int64_t *permutation;
} classifier;

/**
 * Creates a network with PyTorch's initial weights, drawn in PyTorch's order: first the
 * LSTM, then the one over columns, then the linear layer.
 *
 * @return false on failure, with lstm_last_error() set and nothing to free
 */
bool classifier_create(classifier *network, const classifier_config *config,
                       lstm_rng *rng);

/** Draws the order of pixels of READING_PERMUTED; false with the reason in why [size].
 *  Does nothing for other orders. */
bool classifier_permute(classifier *network, char *why, size_t size);

/** Frees a network; accepts one that is all zeros. */
void classifier_destroy(classifier *network);

/** Adds the parameters to a set. */
bool classifier_add(const classifier *network, lstm_params *params);

/** Switches between training and evaluation. */
bool classifier_set_training(classifier *network, bool training);

/** What one LSTM of the network reads and writes. */
typedef struct classifier_side {
    /** [N, T, I] the pixels in the order of the LSTM. */
    lstm_tensor *in;
    /** hn, [L * D, N, S], or out, [N, T, 2 S]; and its gradient, which is zero except
     *  at the last step of the top layer. */
    lstm_tensor *h, *dh;
} classifier_side;

/** Views [N, S] of the last state of a direction, in h and among the inputs of the
 *  linear layer, and of their gradients. */
typedef struct classifier_part {
    lstm_tensor *state, *dstate, *input, *dinput;
} classifier_part;

/**
 * Tensors of a batch.
 *
 * A network of one LSTM uses only the last time step of the top layer, out[:, -1, :].
 * In a unidirectional network this equals hn[-1], so the network reads hn, and the
 * outputs of other steps and their gradients are never stored. A bidirectional network
 * reads out, because in hn the reverse direction has its state of the first step.
 *
 * A network of two LSTMs joins the last state of each direction, torch.cat([hn[-2],
 * hn[-1]], 1) of the LSTM over rows and then of that over columns, after all steps of
 * that direction.
 */
typedef struct classifier_batch {
    size_t count;
    /** [N, ROWS, COLS] images. */
    lstm_tensor *x;
    classifier_side side[CLASSIFIER_SIDES];
    /** Inputs of the linear layer, [N, F], and their gradient: views of the h and dh of
     *  a single LSTM, else memory that the parts refer to. */
    lstm_tensor *last, *dlast;
    classifier_part part[CLASSIFIER_PARTS];
    size_t parts;
    /** Logits, [N, C], and their gradient. */
    lstm_tensor *logits, *dlogits;
} classifier_batch;

/** Allocates tensors for batches of count images. */
bool classifier_batch_create(classifier_batch *batch, const classifier *network,
                             size_t count);

/** Creates views of count samples of a batch, which MUST outlive them. */
bool classifier_batch_narrow(classifier_batch *batch, const classifier *network,
                             const classifier_batch *of, size_t first, size_t count);

/** Frees the tensors; accepts a batch that is all zeros. */
void classifier_batch_destroy(classifier_batch *batch);

/** Computes the logits of the images in x. */
bool classifier_forward(classifier *network, classifier_batch *batch);

/** Computes the gradients of the parameters from the gradient of the logits. */
bool classifier_backward(classifier *network, classifier_batch *batch);

/** Number of images whose largest logit is that of their label. */
size_t classifier_correct(const classifier_batch *batch, const int64_t *labels);

#endif
