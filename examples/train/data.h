/**
 * @file
 * The data sets of a run.
 */
#ifndef EXAMPLES_TRAIN_DATA_H
#define EXAMPLES_TRAIN_DATA_H

#include <mnist/mnist.h>

#include "examples/train/options.h"

/** The sets that the run needs; the others are NULL. */
typedef struct train_data {
    mnist_dataset *train;
    /** The end of the training set, with --validation; train is the rest. */
    mnist_dataset *validation;
    mnist_dataset *test;
    /** The training set that train and validation are parts of. */
    mnist_dataset *whole;
    /** Why synthetic digits replace MNIST, or why files are not in the cache. */
    char reason[1024];
} train_data;

/**
 * Opens the data sets that the options require.
 *
 * @return 0, or the exit status after an error message: 1 if a data set cannot be
 *         opened, 2 if its name is unknown or --validation does not fit
 */
int train_data_open(train_data *data, const train_options *options);

/** Number of classes of the open sets. */
size_t train_data_classes(const train_data *data);

/** Prints the sources of the data, and a warning if synthetic digits replace MNIST. */
void train_data_describe(const train_data *data, const train_options *options);

/** Frees all sets. */
void train_data_close(train_data *data);

/** One of the open sets, all of which have the same image size. */
const mnist_dataset *train_data_any(const train_data *data);

#endif
