/**
 * @file
 * The state of a training run: training steps and evaluation.
 */
#ifndef EXAMPLES_TRAIN_TRAINER_H
#define EXAMPLES_TRAIN_TRAINER_H

#include <mnist/mnist.h>

#include "examples/train/classifier.h"
#include "examples/train/data.h"
#include "examples/train/options.h"

/** State of a run. After the first step of each batch size, no memory is allocated. */
typedef struct train_state {
    uint64_t seed;
    /** The current epoch, counted from 1 (0 before the first); the number of its
     *  completed steps; and the seed of its order. */
    size_t epoch, step;
    uint64_t order;
    /** Number of training images. */
    size_t samples;
    lstm_rng *rng;
    classifier network;
    lstm_cross_entropy *loss;
    lstm_adam *adam;
    double clip_norm;
    train_schedule schedule;
    /** Sum of the sample losses of this epoch, and the number of samples. */
    double loss_sum;
    size_t loss_count;
    /** Training batches: full batches and the smaller last batch of an epoch. */
    mnist_loader *train;
    classifier_batch full, tail;
    /** Test batches. */
    mnist_loader *test;
    classifier_batch test_full, test_tail;
    int64_t *labels;
} train_state;

/** Creates the state of a run; false after an error message, with nothing to free. */
bool trainer_create(train_state *trainer, const train_options *options, uint64_t seed,
                    const train_data *data);

/** Frees the state of a run; accepts one that is all zeros. */
void trainer_destroy(train_state *trainer);

/** Starts the next epoch, in the random order of PyTorch's DataLoader. */
bool trainer_start_epoch(train_state *trainer);

/** Ends an epoch and updates the schedule with its mean loss; false after an error
 *  message. */
bool trainer_end_epoch(train_state *trainer);

/** Trains on the next batch; false after an error message. */
bool trainer_step(train_state *trainer, float *loss, size_t *samples);

/**
 * Counts the test images that are classified correctly. Testing draws no random
 * numbers, so it does not change the training.
 *
 * @param stop checked between batches; true ends the test early
 * @return false after an error message
 */
bool trainer_test(train_state *trainer, size_t *correct, volatile const bool *stop);

#endif
