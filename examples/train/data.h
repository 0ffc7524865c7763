/**
 * @file
 * The data sets of a run.
 */
#ifndef EXAMPLES_TRAIN_DATA_H
#define EXAMPLES_TRAIN_DATA_H

#include <mnist/mnist.h>

#include "examples/train/options.h"

/** Only what the run needs is there; the rest is NULL. */
typedef struct train_data {
    mnist_dataset *train;
    mnist_dataset *test;
} train_data;

/**
 * Opens what the options ask for.
 *
 * @return 0, or the exit status after a message: 1 when it cannot be had, 2 when the
 *         name of the data set is not known
 */
int train_data_open(train_data *data, const train_options *options);

/** Says where the data came from, and loudly when it is not what was asked for. */
void train_data_describe(const train_data *data, const train_options *options);

/** Frees both data sets. */
void train_data_close(train_data *data);

/** One of the two that are there: their images are of one size, their classes too. */
const mnist_dataset *train_data_any(const train_data *data);

#endif
