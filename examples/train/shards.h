/**
 * @file
 * --shards S: the gradient of a step as a sum over S shards of its batch.
 *
 * A batch of n samples has n / S of them in each shard, and one more in the first n mod
 * S shards, in the order of the batch; a shard of a small batch may have none. Each
 * shard has the sum of its losses, divided by n, and the gradient of that. The shards
 * are added as tree.h says, so that the bits depend on S, but not on how many threads
 * or processes compute them. The result is the mean over the batch, as without shards,
 * up to rounding.
 *
 * The masks of dropout of a shard follow from the seed of the epoch, the step and the
 * shard.
 */
#ifndef EXAMPLES_TRAIN_SHARDS_H
#define EXAMPLES_TRAIN_SHARDS_H

#include "examples/train/trainer.h"
#include "examples/train/transport.h"
#include "examples/train/tree.h"

/** The values of a sum: the gradients, then the loss, and the number of processes that
 *  a signal stops. */
enum { SHARDS_LOSS, SHARDS_STOP, SHARDS_TAIL };

/** Shards that one process computes. */
typedef struct train_shards {
    /** S, and the shards of this process. */
    size_t count, first, end;
    /** Values of a sum; from one row to the next, each of which has those of a node;
     * the nodes of the rows. */
    size_t values, stride;
    float *rows;
    /** The memory of the rows, unless they belong to a transport. */
    float *owned;
    tree_stack nodes;
    /** The samples of this process: its loader has them first in each epoch, which is
     *  the epoch that it has started. */
    mnist_loader *loader;
    train_ahead ahead;
    /** Whether the loader changes no images. */
    bool clean;
    size_t epoch;
    uint32_t *order;
    /** All of them in a step, and those of each shard, in full batches and in the last
     *  one of an epoch. */
    classifier_batch part;
    classifier_batch *full, *tail;
    /** State of the generator of the run, while shards draw their masks. */
    uint8_t kept[LSTM_RNG_STATE_SIZE], drawn[LSTM_RNG_STATE_SIZE];
} train_shards;

/**
 * Prepares a run for the shards of --shards; does nothing for one. The trainer then has
 * the shards.
 *
 * @param exchange of the ranks that divide the shards; NULL: this process has all
 * @return false after an error message
 */
bool shards_create(train_state *trainer, const train_options *options,
                   const train_data *data, transport *exchange);

/** Frees the shards; accepts NULL. */
void shards_destroy(train_shards **shards);

/** Computes the gradients of the next batch and its loss; false after an error message.
 */
bool shards_gradient(train_state *trainer, size_t *samples);

#endif
