/**
 * @file
 * IDX, the format of MNIST: a magic number that gives type and rank, big-endian extents
 * of 32 bits, then the elements. Here the elements are bytes.
 */
#ifndef MNIST_IDX_H
#define MNIST_IDX_H

#include "lib/mnist/stream.h"

enum { MNIST_IDX_MAX_RANK = 3 };

/** An IDX file whose header is read. */
typedef struct mnist_idx {
    mnist_stream *stream;
    uint32_t extents[MNIST_IDX_MAX_RANK];
    /** Product of the extents. */
    size_t bytes;
} mnist_idx;

/**
 * Opens a file and reads and checks its header: type bytes, the given rank, no extent
 * of 0, and no more elements than a file of this size can hold.
 *
 * @param[out] idx closed with mnist_idx_close(), also after a failure
 * @param path MUST outlive idx
 * @param rank 1 to 3
 */
mnist_status mnist_idx_open(mnist_idx *idx, const char *path, unsigned rank);

/** Reads the elements into data [bytes], and checks that the file ends there. */
mnist_status mnist_idx_read(mnist_idx *idx, uint8_t *data);

/** Closes the file. */
void mnist_idx_close(mnist_idx *idx);

#endif
