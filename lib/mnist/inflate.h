/**
 * @file
 * Decompresses a gzip file that is in memory at once. This takes a third of the time of
 * zlib, which reads a file in pieces. Without libdeflate both functions return false.
 */
#ifndef MNIST_INFLATE_H
#define MNIST_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether mnist_inflate() takes a file of size bytes. */
bool mnist_inflate_takes(uint64_t size);

/**
 * Decompresses a file of one member and checks its checksum.
 *
 * @param file [file_size]
 * @param[out] data [size]; undefined on failure
 * @return false if the file is damaged, has more than one member, does not become size
 *         bytes, or memory is short: another reader then finds out what it is
 */
bool mnist_inflate(const uint8_t *file, size_t file_size, uint8_t *data, size_t size);

#endif
