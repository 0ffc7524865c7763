/**
 * @file
 * The fields of a data set, for the code that creates one.
 */
#ifndef LIB_MNIST_DATASET_H
#define LIB_MNIST_DATASET_H

#include <mnist/mnist.h>

/** Bytes before images and labels, for the header of a file that is read at once. */
enum { MNIST_DATASET_ROOM = 16 };

struct mnist_dataset {
    /** Bytes [count, rows, cols]. */
    uint8_t *images;
    /** Labels [count], each below classes; NULL for a data set without labels. */
    uint8_t *labels;
    size_t count;
    size_t rows;
    size_t cols;
    size_t classes;
    /** Source as text: a path, or for example "synthetic digits, seed 1". Never NULL.
     */
    char *origin;
    bool synthetic;
    /** Images and labels belong to another data set. */
    bool is_part;
};

/**
 * Creates a data set with all pixels and labels 0; the caller fills it.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param count 1 to UINT32_MAX, since loaders store indices as uint32_t
 * @param rows at least 1
 * @param cols at least 1
 * @param classes 1 to 256
 * @param has_labels whether to allocate labels
 * @param origin copied
 */
mnist_status mnist_dataset_new(mnist_dataset **out, size_t count, size_t rows,
                               size_t cols, size_t classes, bool has_labels,
                               const char *origin);

#endif
