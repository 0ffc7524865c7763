/**
 * @file
 * The network that mnist-train saves, to read digits with.
 */
#ifndef EXAMPLES_PREDICT_MODEL_H
#define EXAMPLES_PREDICT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

enum {
    /** Rows and columns of an image. */
    MODEL_SIDE = 28,
    /** Images that are read at once. */
    MODEL_BATCH = 256
};

/** A network with its weights, and room for a batch. */
typedef struct model {
    size_t classes;
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_params *params;
    lstm_tensor *x, *out, *logits;
} model;

/**
 * Reads a model file of layers "lstm" and "fc", whoever wrote it: all options of the
 * network are those of the file.
 *
 * @return false when it failed, with lstm_last_error() set and nothing left to free
 */
bool model_open(model *network, const char *path);

/** Frees a model; one that was never opened may be all zeros. */
void model_close(model *network);

/**
 * Computes what each class of each image is worth.
 *
 * @param images [count, 28, 28] bytes
 * @param count 1 to MODEL_BATCH
 * @param[out] probabilities [count, classes], each row of sum 1
 * @return false when it failed, with lstm_last_error() set
 */
bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities);

#endif
