/**
 * @file
 * Data sets from IDX files.
 */
#ifndef MNIST_READ_H
#define MNIST_READ_H

#include "lib/mnist/dataset.h"
#include "lib/mnist/stream.h"

/** The labels of a data set. */
typedef struct mnist_label_form {
    /** Number of classes. */
    size_t classes;
    /** Larger labels add classes; otherwise they are an error. */
    bool open;
    /** The label of class 0. */
    unsigned first;
} mnist_label_form;

/** As mnist_dataset_read(), from inputs; labels may be NULL. */
mnist_status mnist_dataset_read_inputs(mnist_dataset **out, const mnist_input *images,
                                       const mnist_input *labels,
                                       const mnist_label_form *form);

#endif
