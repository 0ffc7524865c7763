/**
 * @file
 * A trained classifier, loaded from a file of mnist-train or of another program.
 */
#ifndef EXAMPLES_PREDICT_MODEL_H
#define EXAMPLES_PREDICT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/digits/classifier.h"

enum {
    /** Rows and columns of an image. */
    MODEL_SIDE = 28,
    MODEL_PIXELS = MODEL_SIDE * MODEL_SIDE,
    /** Largest number of images in a batch. */
    MODEL_BATCH = 256
};

/** A network and the tensors of a batch; zero at first. */
typedef struct model {
    size_t classes;
    reading order;
    /** Of a network that does not read row by row, in place of all that follows. */
    classifier ordered;
    classifier_batch batch;
    /** Whether the rows are read from the last to the first. */
    bool reverse;
    lstm_layer *lstm;
    lstm_linear *fc;
    /** last: [N, width] final states of both directions, where the linear layer reads
     *  them; NULL where it reads the output of the last step. */
    lstm_tensor *x, *out, *last, *logits;
} model;

/**
 * Loads a model file. Sizes and options of the network come from the file. Tensors that
 * do not belong to the network are named on standard error. Obeys the keys
 * "model.read", "model.output" and "model.reverse", and refuses others that may change
 * the answer.
 *
 * @param lstm name of the LSTM; NULL for the only one
 * @param head name of the linear layer; NULL for the only one whose inputs match
 * @param[out] why [size] on failure, one line
 * @return false on failure; model_close() is still needed
 */
bool model_open(model *network, const char *path, const char *lstm, const char *head,
                char *why, size_t size);

/** Frees the members. */
void model_close(model *network);

/**
 * Computes the probability of each class for each image.
 *
 * @param images [count, 28, 28] bytes
 * @param count 1 to MODEL_BATCH
 * @param[out] probabilities [count, classes]; each row sums to 1
 * @param[out] why [size] on failure, one line
 * @return false on failure, also if an output of the network is not finite
 */
bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities, char *why, size_t size);

/**
 * Computes the probabilities after each row of an image: those of an image that ends
 * there. The network MUST read row by row, from the first, also for model_gates().
 *
 * @param image [28, 28] bytes
 * @param[out] probabilities [28, classes]
 * @param[out] why [size] on failure, one line
 */
bool model_predict_rows(model *network, const uint8_t *image, double *probabilities,
                        char *why, size_t size);

/**
 * Computes the activated gates of each layer and direction for an image.
 *
 * @param image [28, 28] bytes
 * @param[out] gates [L*D, 28, 4*H] in the order i, f, g, o
 * @param[out] why [size] on failure, one line
 */
bool model_gates(model *network, const uint8_t *image, float *gates, char *why,
                 size_t size);

#endif
