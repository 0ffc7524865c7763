/**
 * @file
 * The command line of mnist-train.
 */
#ifndef EXAMPLES_TRAIN_OPTIONS_H
#define EXAMPLES_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "examples/digits/reading.h"
#include "examples/train/augment.h"
#include "examples/train/interval.h"
#include "examples/train/schedule.h"

/** A value of --precision, which parsing replaces by one of lstm_precision. */
enum { TRAIN_PRECISION_AUTO = LSTM_INT8 + 1 };

/** When to evaluate on the test set. */
typedef enum train_eval {
    TRAIN_EVAL_EPOCH,
    TRAIN_EVAL_END,
    TRAIN_EVAL_NONE
} train_eval;

/** Which weights to save. */
typedef enum train_keep { TRAIN_KEEP_LAST, TRAIN_KEEP_BEST } train_keep;

typedef struct train_options {
    /** Index of recipe_names; used only if recipe_given. */
    unsigned recipe;
    bool recipe_given;
    const char *data;
    const char *dataset;
    /** Split of EMNIST, with the data set emnist. */
    unsigned emnist;
    bool emnist_given;
    /** Number of synthetic digits to train on; used only if synthetic_given. */
    uint64_t synthetic;
    /** Bytes that a gzip file may become; 0: as libmnist decides. */
    uint64_t limit;
    bool synthetic_given;
    uint64_t epochs, batch_size;
    /** Parts of a batch whose gradients are added. */
    uint64_t shards;
    /** Processes that divide the shards. */
    uint64_t ranks;
    /** Whether mpirun has started them. */
    bool mpi;
    /** The network. Options that are not given come from the file to load, if any.
     *  proj 0 means no projection. */
    uint64_t hidden, layers, proj;
    /** How the network reads an image, and the layers of its LSTM over columns. */
    reading read;
    uint64_t column_layers;
    /** Steps that the gates remember at first; 0: the initial biases of PyTorch. */
    uint64_t chrono;
    double dropout;
    bool bidirectional, hidden_given, layers_given, proj_given, dropout_given;
    bool read_given, column_layers_given;
    double label_smoothing;
    /** Of training images alone. */
    train_augment augment;
    /** Epochs at the end without these changes: a share if below 1, else a number. */
    double clean_epochs;
    double lr, weight_decay;
    /** The weight decay is that of AdamW. */
    bool decoupled;
    train_schedule schedule;
    /** Decay of the average of the weights; 0: none. */
    double ema;
    /** 0: no gradient clipping. */
    double clip_norm;
    uint64_t seed;
    bool seed_given;
    /** 0: the default of the library. */
    uint64_t threads;
    uint64_t log_every;
    const char *log;
    /** Page to write, or NULL. */
    const char *report;
    /** Folder of TensorBoard's events, or NULL. */
    const char *tensorboard;
    /** NULL: the model is not saved. */
    const char *save;
    bool save_given, no_save;
    const char *load;
    /** Checkpoint to write and checkpoint to resume from, or NULL. */
    const char *checkpoint, *resume;
    train_interval checkpoint_every;
    /** Whether files of other runs may be replaced. */
    bool force;
    /** With validation, the default is to test at the end only. */
    train_eval eval;
    bool eval_given;
    /** Places of an image that an evaluation reads: index of shifts_names. */
    unsigned tta;
    /** Images of the training set for validation: a share if below 1, else a count; 0
     *  for none. */
    double validation;
    train_keep keep;
    /** Epochs without a better validation that end the run; 0: no limit. */
    uint64_t patience;
    lstm_precision precision;
    bool precision_given, offline, reproducible, quiet, no_progress;
    /** The words of the command line, after the name of the program. */
    int word_count;
    char **words;
} train_options;

/** Upper limit of the number of options. */
enum { TRAIN_MAX_OPTIONS = 64 };
/** Key of the position of a run in the metadata of a checkpoint. */
#define CHECKPOINT_KEY "mnist-train"

/**
 * Parses the command line. With --resume, options that are not given come from the
 * checkpoint, except for names of files; the checkpoint to write is then the one that
 * is resumed, and no model is saved by default.
 *
 * @return -1 to continue; otherwise the exit status: 0 after --help or --version, 1 if
 *         their output or a checkpoint failed, 2 for invalid usage, after an error
 *         message
 */
int train_options_parse(train_options *options, int argc, char **argv);

/** Name of the data set for libmnist; writes to text [size] if it is a split of EMNIST.
 *  NULL for the default. */
const char *train_options_dataset(const train_options *options, char *text,
                                  size_t size);

/** A number of the run, which follows from its seed and the options that cannot change
 *  when it is resumed. */
uint64_t train_options_run(uint64_t seed);

/**
 * The options that a checkpoint stores, with their text from the command line.
 *
 * @param[out] pairs [2 * TRAIN_MAX_OPTIONS] names and values
 * @return number of pairs
 */
size_t train_options_list(const char **pairs);

/** The number of epochs at the end of the run on images as they are. */
size_t train_options_clean(const train_options *options);

#endif
