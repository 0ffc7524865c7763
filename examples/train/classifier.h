/**
 * @file
 * The network of the experiment: LSTM layers that read an image row by row, and a
 * linear layer on the last time step of the top layer.
 */
#ifndef EXAMPLES_TRAIN_CLASSIFIER_H
#define EXAMPLES_TRAIN_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

/** The network. Its parameters have the prefixes "lstm." and "fc.", as in PyTorch. */
typedef struct classifier {
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_params *params;
} classifier;

/**
 * Creates a network with PyTorch's initial weights, drawn in PyTorch's order: first the
 * LSTM, then the linear layer.
 *
 * @return false on failure, with lstm_last_error() set and nothing to free
 */
bool classifier_create(classifier *network, const lstm_layer_config *config,
                       size_t classes, lstm_rng *rng);

/** Frees a network; accepts one that is all zeros. */
void classifier_destroy(classifier *network);

/**
 * Tensors of a batch.
 *
 * The classifier uses only the last time step of the top layer, out[:, -1, :]. In a
 * unidirectional network this equals hn[-1], so the network reads hn, and the outputs
 * of other steps and their gradients are never stored. A bidirectional network reads
 * out, because in hn the reverse direction has its state of the first step.
 */
typedef struct classifier_batch {
    size_t count;
    /** [N, T, I] pixels. */
    lstm_tensor *x;
    /** hn, [L, N, S], or out, [N, T, 2 S], if bidirectional; and its gradient, which is
     *  zero except at the last step of the top layer. */
    lstm_tensor *h, *dh;
    /** Views of that step, [N, S] or [N, 2 S]. */
    lstm_tensor *last, *dlast;
    /** Logits, [N, C], and their gradient. */
    lstm_tensor *logits, *dlogits;
} classifier_batch;

/** Allocates tensors for batches of count images of steps by inputs. */
bool classifier_batch_create(classifier_batch *batch, const classifier *network,
                             size_t count, size_t steps, size_t classes);

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
