#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/number.h"
#include "examples/common/options.h"
#include "examples/digits/shifts.h"
#include "examples/train/help.h"
#include "examples/train/line.h"
#include "examples/train/options.h"
#include "examples/train/recipe.h"
#include "examples/train/table.h"
#include "examples/train/transport.h"
#include "examples/train/tree.h"

static const train_options defaults = {
    .epochs = 10,
    .batch_size = 64,
    .shards = 1,
    .ranks = 1,
    .hidden = 128,
    .layers = 2,
    .column_layers = 1,
    .lr = 0.001,
    .log_every = 100,
    .save = "mnist-lstm.safetensors",
    .synthetic = 60000,
};

/* In the order of train_eval. */
static const char *const eval_names[] = {"epoch", "end", "none", NULL};
/* In the order of train_keep. */
static const char *const keep_names[] = {"last", "best", NULL};
static const char *const emnist_names[] = {"byclass", "bymerge", "balanced", "letters",
                                           "digits",  "mnist",   NULL};
/* In the order of lstm_precision, and TRAIN_PRECISION_AUTO. */
static const char *const precision_names[] = {"fp32", "bf16", "int8", "auto", NULL};

static bool take_schedule(void *field, const char *text, char *why, size_t size)
{
    return schedule_parse(field, text, why, size);
}

static bool take_augment(void *field, const char *text, char *why, size_t size)
{
    return augment_parse(field, text, why, size);
}

/* Accepts a share below 1 or a count. */
static bool take_part(void *field, const char *text, const char *what, char *why,
                      size_t size)
{
    double value;
    snprintf(why, size, "expected a share below 1 or a count of %s", what);
    if (!number_real(text, &value) || value <= 0 || value > 1e9 ||
        (value >= 1 && value != floor(value)))
        return false;
    *(double *)field = value;
    return true;
}

static bool take_images(void *field, const char *text, char *why, size_t size)
{
    return take_part(field, text, "images", why, size);
}

static bool take_epochs(void *field, const char *text, char *why, size_t size)
{
    return take_part(field, text, "epochs", why, size);
}

/* Accepts a decay; 0 is that of a run without average. */
static bool take_decay(void *field, const char *text, char *why, size_t size)
{
    double value;
    snprintf(why, size, "expected a number above 0 and below 1");
    if (!number_real(text, &value) || value <= 0 || (float)(1 - value) <= 0 ||
        value >= 1)
        return false;
    *(double *)field = value;
    return true;
}

#define FIELD(name) offsetof(train_options, name)
/* All options. */
static const option_row rows[] = {
    {.name = "recipe",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .field = FIELD(recipe),
     .given = FIELD(recipe_given),
     .names = recipe_names,
     .help = "a set of options, see below; an option beside it wins:\n"
             "best, pixels, permuted"},
    {.name = "data",
     .value = "DIR",
     .kind = OPTION_TEXT,
     .field = FIELD(data),
     .help = "folder with the four IDX files of the data set, plain or gzip, or\n"
             "torchvision's folder"},
    {.name = "dataset",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(dataset),
     .help = "mnist, fashion-mnist, kmnist, qmnist or emnist (default mnist)"},
    {.name = "split",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .field = FIELD(emnist),
     .given = FIELD(emnist_given),
     .names = emnist_names,
     .help = "split of emnist: byclass, bymerge, balanced, letters,\n"
             "digits or mnist"},
    {.name = "synthetic",
     .value = "[=COUNT]",
     .kind = OPTION_COUNT,
     .field = FIELD(synthetic),
     .given = FIELD(synthetic_given),
     .low = 1,
     .high = 1e7,
     .help = "train on COUNT synthetic digits, test on a sixth"},
    {.name = "offline",
     .kind = OPTION_FLAG,
     .field = FIELD(offline),
     .help = "do not download data"},
    {.name = "limit",
     .value = "BYTES",
     .kind = OPTION_COUNT,
     .field = FIELD(limit),
     .low = 1,
     .high = 0x1p64,
     .help = "what a gzip file may become in memory (default 100\n"
             "times its size, and 1 GiB)"},
    {.name = "epochs",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(epochs),
     .high = 1e6,
     .help = "epochs to train; 0 tests only"},
    {.name = "batch-size",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(batch_size),
     .low = 1,
     .high = 1e6,
     .help = "samples per step"},
    {.name = "shards",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(shards),
     .low = 1,
     .high = TREE_MOST_SHARDS,
     .help = "add the gradient of a step from N parts of its batch, at most the\n"
             "batch size"},
    {.name = "ranks",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(ranks),
     .low = 1,
     .high = TRANSPORT_MOST_RANKS,
     .help = "train in N processes, which divide the shards"},
    {.name = "hidden",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(hidden),
     .given = FIELD(hidden_given),
     .low = 1,
     .high = 65536,
     .help = "hidden units per layer"},
    {.name = "layers",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(layers),
     .given = FIELD(layers_given),
     .low = 1,
     .high = 64,
     .help = "LSTM layers"},
    {.name = "read",
     .value = "ORDER",
     .kind = OPTION_CHOICE,
     .field = FIELD(read),
     .given = FIELD(read_given),
     .names = reading_names,
     .help = "what a step reads: rows, columns, both, pixels or permuted, see\n"
             "below (default rows)"},
    {.name = "column-layers",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(column_layers),
     .given = FIELD(column_layers_given),
     .low = 1,
     .high = 64,
     .help = "layers of the LSTM over columns, with --read both"},
    {.name = "bidirectional",
     .kind = OPTION_FLAG,
     .field = FIELD(bidirectional),
     .help = "bidirectional LSTM"},
    {.name = "proj",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(proj),
     .given = FIELD(proj_given),
     .low = 1,
     .high = 65535,
     .help = "size of the projection of h, below --hidden (default none)"},
    {.name = "chrono",
     .value = "STEPS",
     .kind = OPTION_COUNT,
     .field = FIELD(chrono),
     .low = 3,
     .high = 1e6,
     .help = "first biases of the gates, to remember up to STEPS steps, as 784\n"
             "with --read pixels (default those of PyTorch)"},
    {.name = "dropout",
     .value = "P",
     .kind = OPTION_REAL,
     .field = FIELD(dropout),
     .given = FIELD(dropout_given),
     .high = 1,
     .help = "dropout probability between layers (default 0)"},
    {.name = "label-smoothing",
     .value = "S",
     .kind = OPTION_REAL,
     .field = FIELD(label_smoothing),
     .high = 1,
     .help = "label smoothing of the cross-entropy (default 0)"},
    {.name = "augment",
     .value = "CHANGES",
     .kind = OPTION_PARSED,
     .field = FIELD(augment),
     .parse = take_augment,
     .help = "change training images at random, see below (default none)"},
    {.name = "clean-epochs",
     .value = "N",
     .kind = OPTION_PARSED,
     .field = FIELD(clean_epochs),
     .parse = take_epochs,
     .help = "with --augment, train on images as they are in the last N epochs;\n"
             "below 1: a share of --epochs (default none)"},
    {.name = "lr",
     .value = "X",
     .kind = OPTION_POSITIVE,
     .field = FIELD(lr),
     .high = 1e6,
     .help = "learning rate of Adam"},
    {.name = "schedule",
     .value = "NAME",
     .kind = OPTION_PARSED,
     .field = FIELD(schedule),
     .parse = take_schedule,
     .help = "learning rate schedule, see below (default constant)"},
    {.name = "weight-decay",
     .value = "X",
     .kind = OPTION_REAL,
     .field = FIELD(weight_decay),
     .high = 1e6,
     .help = "weight decay, added to the gradient (default 0)"},
    {.name = "decoupled",
     .kind = OPTION_FLAG,
     .field = FIELD(decoupled),
     .help = "AdamW: the weight decay is of the weights, not of the gradient"},
    {.name = "ema",
     .value = "DECAY",
     .kind = OPTION_PARSED,
     .field = FIELD(ema),
     .parse = take_decay,
     .help = "test and save an exponential moving average of the weights, of\n"
             "which each step keeps the share DECAY, as 0.998 (default none)"},
    {.name = "clip-norm",
     .value = "X",
     .kind = OPTION_POSITIVE,
     .field = FIELD(clip_norm),
     .high = 1e30,
     .help = "clip the gradient to this norm (default no clipping)"},
    {.name = "precision",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .field = FIELD(precision),
     .given = FIELD(precision_given),
     .names = precision_names,
     .help = "precision of matrix products: fp32, bf16, auto (bf16 where it is\n"
             "faster, else fp32), or with --epochs 0 int8, which quantises a\n"
             "model (default fp32, or that of --load)"},
    {.name = "seed",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(seed),
     .given = FIELD(seed_given),
     .high = 0x1p64,
     .help = "seed of weights, sample order and dropout (default random)"},
    {.name = "threads",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(threads),
     .low = 1,
     .high = LSTM_MAX_THREADS,
     .help = "number of threads, of each rank (default all processors, divided\n"
             "among the ranks)"},
    {.name = "reproducible",
     .kind = OPTION_FLAG,
     .field = FIELD(reproducible),
     .help = "bit-identical results on every processor, slower without AVX2"},
    {.name = "log-every",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(log_every),
     .low = 1,
     .high = 1e9,
     .help = "print the loss every N steps"},
    {.name = "log",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(log),
     .help = "log every step: " LINE_COLUMNS ";\n"
             "JSON lines if the name ends with .jsonl, else CSV"},
    {.name = "report",
     .value = "FILE.html",
     .kind = OPTION_TEXT,
     .field = FIELD(report),
     .help = "write a page with curves, the confusion matrix and the digits\n"
             "read worst, after each epoch and at the end"},
    {.name = "tensorboard",
     .value = "DIR",
     .kind = OPTION_TEXT,
     .field = FIELD(tensorboard),
     .help = "write the loss of each step, accuracies, learning rates and the\n"
             "options into DIR, for TensorBoard"},
    {.name = "save",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(save),
     .given = FIELD(save_given),
     .help = "save the model to FILE at the end"},
    {.name = "no-save",
     .kind = OPTION_CLEAR,
     .field = FIELD(save),
     .given = FIELD(no_save),
     .help = "do not save the model"},
    {.name = "load",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(load),
     .help = "start from a saved model and its options; test it with --epochs 0"},
    {.name = "checkpoint",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(checkpoint),
     .help = "write a checkpoint after each epoch and when a signal ends\n"
             "the run"},
    {.name = "checkpoint-every",
     .value = "N",
     .kind = OPTION_PARSED,
     .field = FIELD(checkpoint_every),
     .parse = interval_parse,
     .help = "write it also every N steps, or every 600s or 10m"},
    {.name = "resume",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(resume),
     .help = "resume a run, bit for bit, with the options in its checkpoint,\n"
             "see below"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .field = FIELD(force),
     .help = "replace the model, checkpoint, log and report of another run"},
    {.name = "eval",
     .value = "WHEN",
     .kind = OPTION_CHOICE,
     .field = FIELD(eval),
     .given = FIELD(eval_given),
     .names = eval_names,
     .help = "test after each epoch, at the end, or never: epoch, end, none\n"
             "(default epoch; with --validation end)"},
    {.name = "tta",
     .value = "N",
     .kind = OPTION_CHOICE,
     .field = FIELD(tta),
     .names = shifts_names,
     .help = "test and validate with the mean over 1, 5 or 9 places of each\n"
             "image: moved by a pixel up, down, left and right; also in both\n"
             "axes (default 1)"},
    {.name = "validation",
     .value = "N",
     .kind = OPTION_PARSED,
     .field = FIELD(validation),
     .parse = take_images,
     .help = "do not train on the last N images of the training set, but\n"
             "validate on them after each epoch; below 1: a share of it"},
    {.name = "keep",
     .value = "WHICH",
     .kind = OPTION_CHOICE,
     .field = FIELD(keep),
     .names = keep_names,
     .help = "save the weights of the last epoch, or of the best by\n"
             "--validation, the first of equals: last, best (default last)"},
    {.name = "patience",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(patience),
     .low = 1,
     .high = 1e6,
     .help = "end after N epochs without a better --validation"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .field = FIELD(quiet),
     .help = "print only results, warnings and errors"},
    {.name = "no-progress",
     .kind = OPTION_FLAG,
     .field = FIELD(no_progress),
     .help = "do not draw a progress line"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

_Static_assert((int)ROWS <= (int)TRAIN_MAX_OPTIONS,
               "TRAIN_MAX_OPTIONS must cover all options");

const option_table train_options_table = {
    .before =
        "Usage: mnist-train [OPTION]...\n\n"
        "Trains an LSTM with Adam to classify the digits of MNIST, row by row.\n"
        "Losses and accuracies are printed to standard output, all other messages to\n"
        "standard error.\n\n",
    .after = help_print,
    .rows = rows,
    .count = ROWS,
    .defaults = &defaults,
    .size = sizeof(defaults),
};

const char *train_options_dataset(const train_options *options, char *text, size_t size)
{
    if (!options->emnist_given)
        return options->dataset;
    snprintf(text, size, "emnist-%s", emnist_names[options->emnist]);
    return text;
}

size_t train_options_clean(const train_options *options)
{
    double all = options->clean_epochs < 1 ? (double)options->epochs : 1;
    return (size_t)(options->clean_epochs * all + 0.5);
}
