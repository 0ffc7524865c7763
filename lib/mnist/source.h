/**
 * @file
 * The search for a data set: folder, cache, download, synthetic digits.
 */
#ifndef MNIST_SOURCE_H
#define MNIST_SOURCE_H

#include "lib/mnist/catalogue.h"

/** As mnist_dataset_open(), for an entry that need not be in the catalogue. */
mnist_status mnist_source_open(mnist_dataset **out, const mnist_entry *entry,
                               const mnist_source *source, mnist_split split);

#endif
