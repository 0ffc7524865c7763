/**
 * @file
 * The usual names of the labels of an IDX file.
 */
#ifndef EXAMPLES_PREDICT_LABELS_H
#define EXAMPLES_PREDICT_LABELS_H

#include <stdbool.h>

/**
 * Finds the file of labels beside a file of images: train-labels-idx1-ubyte for
 * train-images-idx3-ubyte, with a dot before idx, with .gz, and idx2-int as in QMNIST.
 *
 * @param[out] found its path, freed with free(), whether or not it can be read; NULL if
 *             there is none
 * @return false if memory is exhausted
 */
bool labels_find(const char *images, char **found);

#endif
