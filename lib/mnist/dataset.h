/**
 * @file
 * The inside of a data set, for those who fill one.
 */
#ifndef MNIST_DATASET_H
#define MNIST_DATASET_H

#include <mnist/mnist.h>

struct mnist_dataset {
    /** Bytes [count, rows, cols]. */
    uint8_t *images;
    /** Labels [count], each below classes; NULL: there are none. */
    uint8_t *labels;
    size_t count;
    size_t rows;
    size_t cols;
    size_t classes;
    /** For people: a path, or "synthetic digits, seed 1". Never NULL. */
    char *origin;
    bool synthetic;
};

/**
 * Creates a data set of black images and labels 0, for the caller to fill.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param count 1 to UINT32_MAX: orders of images are of uint32_t
 * @param rows at least 1
 * @param cols at least 1
 * @param classes 1 to 256
 * @param has_labels whether there is room for labels
 * @param origin copied
 */
mnist_status mnist_dataset_new(mnist_dataset **out, size_t count, size_t rows,
                               size_t cols, size_t classes, bool has_labels,
                               const char *origin);

#endif
