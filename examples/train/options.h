/**
 * @file
 * What mnist-train is told on its command line.
 */
#ifndef EXAMPLES_TRAIN_OPTIONS_H
#define EXAMPLES_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/train/schedule.h"

/** When the test set is run through the network. */
typedef enum train_eval {
    TRAIN_EVAL_EPOCH,
    TRAIN_EVAL_END,
    TRAIN_EVAL_NONE
} train_eval;

typedef struct train_options {
    const char *data;
    const char *dataset;
    /** Number of synthetic digits to train on; 0: the data set is wanted. */
    uint64_t synthetic;
    bool synthetic_given;
    uint64_t epochs, batch_size;
    /** The network; what is not given is that of a file to load, when there is one.
     *  proj 0: no projection. */
    uint64_t hidden, layers, proj;
    double dropout;
    bool bidirectional, hidden_given, layers_given, proj_given, dropout_given;
    double label_smoothing;
    double lr, weight_decay;
    train_schedule schedule;
    /** 0: gradients are not clipped. */
    double clip_norm;
    uint64_t seed;
    bool seed_given;
    /** 0: the library decides. */
    uint64_t threads;
    uint64_t log_every;
    const char *log;
    /** NULL: nothing is saved. */
    const char *save;
    bool save_given;
    const char *load;
    /** Written to go on from later, and where to go on from; NULL: neither. */
    const char *checkpoint, *resume;
    train_eval eval;
    lstm_precision precision;
    bool offline, reproducible, quiet, no_progress;
} train_options;

/** Most options that a run has, and where in a checkpoint it is. */
enum { TRAIN_MOST_OPTIONS = 48 };
#define CHECKPOINT_KEY "mnist-train"

/**
 * Reads the command line; with --resume the options of the run that goes on count where
 * it does not give others.
 *
 * @return -1 to go on; else the exit status: 0 when help or version was asked for and
 *         printed, 1 when that failed, 2 for wrong usage, which is said on stderr
 */
int train_options_parse(train_options *options, int argc, char **argv);

/**
 * The options that a checkpoint keeps, as they were given.
 *
 * @param[out] pairs [2 * TRAIN_MOST_OPTIONS] names and values
 * @return their number
 */
size_t train_options_list(const char **pairs);

#endif
