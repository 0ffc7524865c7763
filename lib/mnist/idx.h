/**
 * @file
 * IDX, the file format of MNIST: a magic number with type and rank, the extents as
 * 32-bit big-endian integers, and the elements. Images are bytes of rank 3. Labels are
 * bytes of rank 1, or 32-bit integers of rank 1 or 2; in rank 2 the first column is the
 * class, as in QMNIST.
 */
#ifndef MNIST_IDX_H
#define MNIST_IDX_H

#include "lib/mnist/stream.h"

enum { MNIST_IDX_RANK = 3, MNIST_IDX_HEADER = 4 * (1 + MNIST_IDX_RANK) };

/** What a file contains. */
typedef enum mnist_idx_use { MNIST_IDX_IMAGES, MNIST_IDX_LABELS } mnist_idx_use;

/** An open IDX file whose header has been read. */
typedef struct mnist_idx {
    mnist_stream *stream;
    const mnist_input *input;
    uint8_t header[MNIST_IDX_HEADER];
    unsigned rank;
    /** Extents; those after the rank are 1. */
    uint32_t extents[MNIST_IDX_RANK];
    /** Bytes of an element, 1 or 4, and of all elements. */
    size_t element, bytes;
} mnist_idx;

/**
 * Opens a file and checks its header: type and rank are those of images or labels, no
 * extent is 0, and a file of this size can hold all elements.
 *
 * @param[out] idx to be closed with mnist_idx_close(), also after a failure
 * @param input MUST outlive idx
 */
mnist_status mnist_idx_open(mnist_idx *idx, const mnist_input *input,
                            mnist_idx_use use);

/** Reads all elements into data, [bytes], and perhaps the header into the
 *  MNIST_IDX_HEADER bytes before. Checks that the file ends there, and its sum. */
mnist_status mnist_idx_read(mnist_idx *idx, uint8_t *data);

/** Reads labels into data, [extents[0]], as mnist_idx_read(); fails if one is not from
 *  first to first + 255. Subtracts first. */
mnist_status mnist_idx_read_labels(mnist_idx *idx, unsigned first, uint8_t *data);

/** Closes the file. */
void mnist_idx_close(mnist_idx *idx);

#endif
