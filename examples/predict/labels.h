/**
 * @file
 * The usual names of the labels of an IDX file.
 */
#ifndef EXAMPLES_PREDICT_LABELS_H
#define EXAMPLES_PREDICT_LABELS_H

/**
 * Finds the file of labels beside a file of images: train-labels-idx1-ubyte for
 * train-images-idx3-ubyte, with a dot before idx, with .gz, and idx2-int as in QMNIST.
 *
 * @return its path, freed with free(); NULL if there is none
 */
char *labels_find(const char *images);

#endif
