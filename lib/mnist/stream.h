/**
 * @file
 * The bytes of a file, unpacked when it is gzip, within a budget.
 *
 * Whether a file is gzip is told by its first two bytes, not by its name. The reader
 * says how many bytes it wants in all; no more are ever unpacked than that and one,
 * which shows that there are more. So a gzip bomb costs what its reader asked for.
 */
#ifndef MNIST_STREAM_H
#define MNIST_STREAM_H

#include <mnist/mnist.h>

/** A file that is being read. */
typedef struct mnist_stream mnist_stream;

/**
 * Opens a file.
 *
 * @param[out] out freed with mnist_stream_close(); NULL on failure
 * @param path MUST outlive the stream
 * @param expected bytes that there have to be, for messages
 */
mnist_status mnist_stream_open(mnist_stream **out, const char *path, uint64_t expected);

/**
 * Sets how many bytes the whole file has to hold, unpacked, those read already
 * included, and fails when it cannot: nobody has to find memory for the promise of a
 * damaged header.
 */
mnist_status mnist_stream_expect(mnist_stream *stream, uint64_t expected);

/** Reads exactly size bytes; fewer are an error. */
mnist_status mnist_stream_read(mnist_stream *stream, uint8_t *data, size_t size);

/** Checks that nothing follows, and the checksum of gzip. */
mnist_status mnist_stream_finish(mnist_stream *stream);

/** Frees a stream and writes NULL to the handle. */
void mnist_stream_close(mnist_stream **stream);

#endif
