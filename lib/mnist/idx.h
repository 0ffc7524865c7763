/**
 * @file
 * IDX, the file format of MNIST: a magic number with type and rank, the extents as
 * 32-bit big-endian integers, and the elements. This reader supports bytes only.
 */
#ifndef MNIST_IDX_H
#define MNIST_IDX_H

#include "lib/mnist/stream.h"

enum { MNIST_IDX_MAX_RANK = 3 };

/** An open IDX file whose header has been read. */
typedef struct mnist_idx {
    mnist_stream *stream;
    uint32_t extents[MNIST_IDX_MAX_RANK];
    /** Product of the extents. */
    size_t bytes;
} mnist_idx;

/**
 * Opens a file and checks its header: elements are bytes, the rank matches, no extent
 * is 0, and a file of this size can hold all elements.
 *
 * @param[out] idx to be closed with mnist_idx_close(), also after a failure
 * @param path MUST outlive idx
 * @param rank 1 to 3
 */
mnist_status mnist_idx_open(mnist_idx *idx, const char *path, unsigned rank);

/** Reads all elements into data, [bytes], and checks that the file ends there. */
mnist_status mnist_idx_read(mnist_idx *idx, uint8_t *data);

/** Closes the file. */
void mnist_idx_close(mnist_idx *idx);

#endif
