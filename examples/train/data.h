/**
 * @file
 * The data sets of a run.
 */
#ifndef EXAMPLES_TRAIN_DATA_H
#define EXAMPLES_TRAIN_DATA_H

#include <mnist/mnist.h>

#include "examples/train/options.h"

/** The splits that the run needs; the other is NULL. */
typedef struct train_data {
    mnist_dataset *train;
    mnist_dataset *test;
} train_data;

/**
 * Opens the data sets that the options require.
 *
 * @return 0, or the exit status after an error message: 1 if a data set cannot be
 *         opened, 2 if its name is unknown
 */
int train_data_open(train_data *data, const train_options *options);

/** Prints the sources of the data, and a warning if synthetic digits replace MNIST. */
void train_data_describe(const train_data *data, const train_options *options);

/** Frees both data sets. */
void train_data_close(train_data *data);

/** One of the open data sets, both of which have the same image size and classes. */
const mnist_dataset *train_data_any(const train_data *data);

#endif
