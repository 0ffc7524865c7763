/**
 * @file
 * The state of a training run: training steps and evaluation.
 */
#ifndef EXAMPLES_TRAIN_TRAINER_H
#define EXAMPLES_TRAIN_TRAINER_H

#include <mnist/mnist.h>

#include "examples/digits/classifier.h"
#include "examples/report/answers.h"
#include "examples/train/ahead.h"
#include "examples/train/average.h"
#include "examples/train/contents.h"
#include "examples/train/data.h"
#include "examples/train/options.h"
#include "examples/train/tta.h"

/** Batches of a set for evaluation. The loader is NULL if there is no such set. */
typedef struct train_tester {
    mnist_loader *loader;
    classifier_batch full, tail;
    size_t count;
} train_tester;

/** The best epoch of a run with validation. */
typedef struct train_best {
    /** The first epoch with the most images right, 0 before the first evaluation; their
     *  number; and the number of epochs since then. */
    size_t epoch, correct, bad;
    /** [lstm_params_count()] weights of that epoch; NULL unless they are kept. */
    lstm_tensor *weights;
} train_best;

/** State of a run. After the first step of each batch size, no memory is allocated. */
typedef struct train_state {
    uint64_t seed;
    /** The current epoch, counted from 1 (0 before the first); the number of its
     *  completed steps; and the seed of its order. */
    size_t epoch, step;
    uint64_t order;
    /** The last epoch that is complete: evaluated, and in the log. */
    size_t completed;
    /** Loss of the last step, and seconds of the run at its end. */
    float loss_last;
    double seconds;
    /** Number of training images, and of the network's classes. */
    size_t samples, classes;
    const train_data *data;
    /** Fingerprints of the data, for checkpoints and other ranks. */
    train_contents contents;
    lstm_rng *rng;
    classifier network;
    /** What the optimiser and checkpoints know: the parameters of the network and, with
     *  --keep best, the best weights; with --ema, the average. */
    lstm_params *stored;
    train_best best;
    train_average average;
    /** Whether the network has the weights that the run saves, no longer those of the
     *  last step. */
    bool chosen;
    lstm_cross_entropy *loss;
    lstm_adam *adam;
    double clip_norm;
    train_schedule schedule;
    /** Sum of the sample losses of this epoch, and the number of samples. */
    double loss_sum;
    size_t loss_count;
    /** Training batches: full batches and the smaller last batch of an epoch. */
    mnist_loader *train;
    train_ahead ahead;
    /** The first epoch with images as they are after others, 0 for none; and whether
     * the loader changes none now. */
    size_t clean_epoch;
    bool clean;
    classifier_batch full, tail;
    /** With --shards, how the gradients of a batch are computed; or NULL. */
    struct train_shards *shards;
    /** With --ranks, the processes that share the shards; or NULL. */
    struct train_ranks *ranks;
    /** Batches of the sets that the network is evaluated on. */
    train_tester validation, test;
    train_tta tta;
    /** Receives the answers of each evaluation; or NULL. */
    answers *answers;
    int64_t *labels;
} train_state;

/** Creates the state of a run, which refers to the data; false after an error message,
 *  with nothing to free. */
bool trainer_create(train_state *trainer, const train_options *options, uint64_t seed,
                    const train_data *data);

/** Frees the state of a run; accepts one that is all zeros. */
void trainer_destroy(train_state *trainer);

/** Starts the next epoch, in the random order of PyTorch's DataLoader. */
bool trainer_start_epoch(train_state *trainer);

/** Trains on the next batch; false after an error message. */
bool trainer_step(train_state *trainer, size_t *samples);

/**
 * Counts the images of a set that are classified correctly, with --ema by the average.
 * Evaluation draws no random numbers, so it does not change the training.
 *
 * @param stop checked between batches; true ends the evaluation early
 * @return false after an error message
 */
bool trainer_evaluate(train_state *trainer, train_tester *set, size_t *correct,
                      volatile const bool *stop);

/** Compares the validation of the epoch with that of the best one. */
void trainer_compare(train_state *trainer, size_t correct);

/** Ends an epoch: keeps the weights if it is the best, and updates the schedule with
 *  its mean loss; false after an error message. */
bool trainer_end_epoch(train_state *trainer);

/** Whether --patience lets the run go on. */
bool trainer_is_patient(const train_state *trainer, const train_options *options);

/** Whether the epoch is the last one, by --epochs or by --patience. */
bool trainer_is_last(const train_state *trainer, const train_options *options);

/** Whether all epochs of the run are complete. */
bool trainer_is_finished(const train_state *trainer, const train_options *options);

/** Number of steps of this epoch in the log. The line of the last step is written when
 *  the epoch is complete. */
size_t trainer_logged_steps(const train_state *trainer);

/** Gives the network the weights that the run saves: those of the best epoch, if they
 *  are kept, else the average, if there is one. */
bool trainer_use_best(train_state *trainer);

#endif
