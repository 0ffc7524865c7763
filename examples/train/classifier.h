/**
 * @file
 * The network of the experiment: LSTM layers over the rows of an image, and a linear
 * layer over the last step of the last of them.
 */
#ifndef EXAMPLES_TRAIN_CLASSIFIER_H
#define EXAMPLES_TRAIN_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

/** The network, and its parameters under the names "lstm." and "fc." of PyTorch. */
typedef struct classifier {
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_params *params;
} classifier;

/**
 * Creates a network with weights drawn as PyTorch draws them: the LSTM's, then the
 * linear layer's.
 *
 * @return false when it failed, with lstm_last_error() set and nothing left to free
 */
bool classifier_create(classifier *network, const lstm_layer_config *config,
                       size_t classes, lstm_rng *rng);

/** Frees a network; one that was never created may be all zeros. */
void classifier_destroy(classifier *network);

/**
 * Tensors for batches of one size, all views of those of the largest batch.
 *
 * Only the last step of the last layer counts, out[:, -1, :]. In a network of one
 * direction that is its part of hn, so no output of the other steps is ever written,
 * nor a gradient of one read. The reverse direction ends at the first step: with it the
 * network reads out.
 */
typedef struct classifier_batch {
    size_t count;
    /** [N, T, I] pixels. */
    lstm_tensor *x;
    /** hn [L, N, S] or, with two directions, out [N, T, 2 S], and its gradient, zero
     *  but for the last step of the last layer. */
    lstm_tensor *h, *dh;
    /** [N, S] or [N, 2 S] that step of them. */
    lstm_tensor *last, *dlast;
    /** [N, C] scores and their gradient. */
    lstm_tensor *logits, *dlogits;
} classifier_batch;

/** Creates tensors of their own for batches of count images of steps by inputs. */
bool classifier_batch_create(classifier_batch *batch, const classifier *network,
                             size_t count, size_t steps, size_t classes);

/** Creates views of the first count samples of a batch, which has to outlive them. */
bool classifier_batch_narrow(classifier_batch *batch, const classifier *network,
                             const classifier_batch *of, size_t count);

/** Frees the tensors; a batch that was never created may be all zeros. */
void classifier_batch_destroy(classifier_batch *batch);

/** Computes the scores of the images in x. */
bool classifier_forward(classifier *network, classifier_batch *batch);

/** Propagates the gradient of the scores back to that of the parameters. */
bool classifier_backward(classifier *network, classifier_batch *batch);

/** Number of images in x whose best score is that of their label. */
size_t classifier_correct(const classifier_batch *batch, const int64_t *labels);

#endif
