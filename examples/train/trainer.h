/**
 * @file
 * A network in training: one step, one pass over the test set.
 */
#ifndef EXAMPLES_TRAIN_TRAINER_H
#define EXAMPLES_TRAIN_TRAINER_H

#include <mnist/mnist.h>

#include "examples/train/classifier.h"
#include "examples/train/data.h"
#include "examples/train/options.h"

/** All that a run holds; after the first step of each batch size nothing is allocated.
 */
typedef struct train_state {
    uint64_t seed;
    /** The epoch that goes on, 0 before the first one, steps of it that are done, and
     *  the seed of its order. */
    size_t epoch, step;
    uint64_t order;
    /** Images to train on. */
    size_t samples;
    lstm_rng *rng;
    classifier network;
    lstm_cross_entropy *loss;
    lstm_adam *adam;
    double clip_norm;
    train_schedule schedule;
    /** Sum of the losses of the samples of this epoch, and their number. */
    double loss_sum;
    size_t loss_count;
    /** Batches to train on: full ones, and the smaller last one of an epoch. */
    mnist_loader *train;
    classifier_batch full, tail;
    /** Batches to test on. */
    mnist_loader *test;
    classifier_batch test_full, test_tail;
    int64_t *labels;
} train_state;

/** Creates what the options ask for; false after a message, with nothing left to free.
 */
bool trainer_create(train_state *trainer, const train_options *options, uint64_t seed,
                    const train_data *data);

/** Frees it; one that was never created may be all zeros. */
void trainer_destroy(train_state *trainer);

/** Starts the next epoch in an order drawn as PyTorch's DataLoader draws it. */
bool trainer_start_epoch(train_state *trainer);

/** Ends an epoch: a schedule may look at its mean loss; false after a message. */
bool trainer_end_epoch(train_state *trainer);

/** Trains on the next batch; false after a message. */
bool trainer_step(train_state *trainer, float *loss, size_t *samples);

/**
 * Counts the test images that are read rightly. Nothing is drawn, so the training goes
 * on as if the test had not been.
 *
 * @param stop looked at between batches: ends the pass early when it becomes true
 * @return false after a message
 */
bool trainer_test(train_state *trainer, size_t *correct, volatile const bool *stop);

#endif
