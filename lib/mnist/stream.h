/**
 * @file
 * Reads a plain or gzip file, with a limit on its decompressed size.
 *
 * The first two bytes of a file, not its name, decide whether it is gzip. The caller
 * declares the total number of bytes that it expects. The stream decompresses at most
 * one byte more, to detect surplus data, so a gzip bomb cannot exhaust memory.
 */
#ifndef MNIST_STREAM_H
#define MNIST_STREAM_H

#include <mnist/mnist.h>

/** A file open for reading. */
typedef struct mnist_stream mnist_stream;

/**
 * Opens a file.
 *
 * @param[out] out freed with mnist_stream_close(); NULL on failure
 * @param path MUST outlive the stream
 * @param expected number of bytes expected so far, for messages
 */
mnist_status mnist_stream_open(mnist_stream **out, const char *path, uint64_t expected);

/**
 * Declares the decompressed size of the whole file, bytes already read included. Fails
 * if the file cannot have that size, so that a damaged header does not cause a huge
 * allocation.
 */
mnist_status mnist_stream_expect(mnist_stream *stream, uint64_t expected);

/** Reads exactly size bytes; fails if the file has fewer. */
mnist_status mnist_stream_read(mnist_stream *stream, uint8_t *data, size_t size);

/** Checks that the file ends here, and the checksum of a gzip file. */
mnist_status mnist_stream_finish(mnist_stream *stream);

/** Closes a stream and sets the handle to NULL. */
void mnist_stream_close(mnist_stream **stream);

#endif
