/**
 * @file
 * A trained classifier, loaded from a file that mnist-train saved.
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
    /** Largest number of images in a batch. */
    MODEL_BATCH = 256
};

/** A network and the tensors of a batch. */
typedef struct model {
    size_t classes;
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_params *params;
    lstm_tensor *x, *out, *logits;
} model;

/**
 * Loads a model file with the layers "lstm" and "fc". Sizes and options of the network
 * come from the file.
 *
 * @return false on failure, with lstm_last_error() set and nothing to free
 */
bool model_open(model *network, const char *path);

/** Frees a model; accepts one that is all zeros. */
void model_close(model *network);

/**
 * Computes the probability of each class for each image.
 *
 * @param images [count, 28, 28] bytes
 * @param count 1 to MODEL_BATCH
 * @param[out] probabilities [count, classes]; each row sums to 1
 * @return false on failure, with lstm_last_error() set
 */
bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities);

#endif
