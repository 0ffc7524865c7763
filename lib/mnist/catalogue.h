/**
 * @file
 * The data sets that libmnist knows by name: their files and where they come from.
 */
#ifndef MNIST_CATALOGUE_H
#define MNIST_CATALOGUE_H

#include <mnist/mnist.h>

/** A file as its mirrors have it. */
typedef struct mnist_remote {
    /** Name, which ends in .gz. */
    const char *name;
    /** Bytes, and their SHA-256 in lower-case hexadecimal; both unset: no download. */
    size_t size;
    const char *sha256;
} mnist_remote;

/** The files of a split. */
enum { MNIST_IMAGES = 0, MNIST_LABELS = 1, MNIST_KINDS = 2, MNIST_SPLITS = 2 };

/** A data set. */
typedef struct mnist_entry {
    const char *name;
    size_t classes;
    /** The images stand in the files with rows and columns exchanged. */
    bool transposed;
    /** $MNIST_DIR and the synthetic digits stand for it. */
    bool is_mnist;
    mnist_remote files[MNIST_SPLITS][MNIST_KINDS];
    /** Addresses of folders, tried in this order, each ending in a slash; up to NULL.
     */
    const char *mirrors[4];
    /** File of the certificates to trust; NULL: those of the system. */
    const char *certificates;
    /** Seconds without progress after which a mirror is given up. */
    long patience;
} mnist_entry;

/** Finds a data set by its name; NULL when there is none. */
const mnist_entry *mnist_catalogue_find(const char *name);

/** Names of all data sets, for messages. */
const char *mnist_catalogue_names(void);

#endif
