/**
 * @file
 * The data sets that libmnist knows by name, their files and download addresses.
 */
#ifndef MNIST_CATALOGUE_H
#define MNIST_CATALOGUE_H

#include <mnist/mnist.h>

/** A file on a mirror. */
typedef struct mnist_remote {
    /** File name; ends in .gz. */
    const char *name;
    /** Size in bytes, and SHA-256 in lower-case hexadecimal; 0 and NULL if the file
     * cannot be downloaded. */
    size_t size;
    const char *sha256;
    /** SHA-256 of the decompressed file; NULL if unknown. */
    const char *content_sha256;
} mnist_remote;

/** The files of a split. */
enum { MNIST_IMAGES = 0, MNIST_LABELS = 1, MNIST_KINDS = 2, MNIST_SPLITS = 2 };

/** A data set. */
typedef struct mnist_entry {
    const char *name;
    /** Number of classes, and the label of the first one. */
    size_t classes;
    unsigned first_label;
    /** Files with these names may have more classes: others use the names of MNIST for
     *  their own data. */
    bool open;
    /** The files store the images transposed. */
    bool transposed;
    /** $MNIST_DIR and synthetic digits apply to this data set. */
    bool is_mnist;
    /** The folder in which torchvision keeps the data set. */
    const char *folder;
    mnist_remote files[MNIST_SPLITS][MNIST_KINDS];
    /** Base URLs in the order to try them, each with a final slash; NULL ends the list.
     */
    const char *mirrors[4];
    /** File with the trusted certificates; NULL for those of the system. */
    const char *certificates;
    /** Timeout in seconds of a transfer without progress. */
    long timeout;
} mnist_entry;

/** Finds a data set by name; NULL if the name is unknown. */
const mnist_entry *mnist_catalogue_find(const char *name);

/** The data set at an index; NULL after the last one. */
const mnist_entry *mnist_catalogue_at(size_t index);

/** Names of all data sets, for messages. */
const char *mnist_catalogue_names(void);

#endif
