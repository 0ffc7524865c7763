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

#include "lib/mnist/sha256.h"

/** What to read. */
typedef struct mnist_input {
    /** The path, or the name in messages if memory is true. */
    const char *path;
    /** Read the open file instead of the path. */
    bool memory;
    int file;
    /** SHA-256 of the file, and of its decompressed content, in lower-case hexadecimal;
     *  the file must have one of them. Both NULL: any file. */
    const char *sha256, *content_sha256;
    /** Bytes that a gzip file, or what is not a regular file, may become; 0: 100 times
     *  the bytes read, and 1 GiB. */
    uint64_t limit;
} mnist_input;

/** A file open for reading. */
typedef struct mnist_stream mnist_stream;

/**
 * Opens a file.
 *
 * @param[out] out freed with mnist_stream_close(); NULL on failure
 * @param input MUST outlive the stream, which does not close its file
 * @param expected number of bytes expected so far, for messages
 */
mnist_status mnist_stream_open(mnist_stream **out, const mnist_input *input,
                               uint64_t expected);

/**
 * Declares the decompressed size of the whole file, bytes already read included. Fails
 * if the file cannot have that size or it is above the limit, so that neither a damaged
 * header nor a gzip bomb causes a huge allocation. The ratio of a pipe is known, and
 * checked, as it is read.
 */
mnist_status mnist_stream_expect(mnist_stream *stream, uint64_t expected);

/** Reads exactly size bytes; fails if the file has fewer. */
mnist_status mnist_stream_read(mnist_stream *stream, uint8_t *data, size_t size);

/**
 * Reads the rest of the bytes that mnist_stream_expect() declared; fails if the file
 * has fewer. Decompresses a gzip file at once where it can.
 *
 * @param content [expected]: of the bytes already read, too, which are written again or
 *                left as they are
 */
mnist_status mnist_stream_read_rest(mnist_stream *stream, uint8_t *content);

/** Checks that the file ends here, and the checksum of a gzip file. */
mnist_status mnist_stream_finish(mnist_stream *stream);

/** SHA-256 of the file, compressed as it is, in lower-case hexadecimal, once
 *  mnist_stream_finish() has succeeded. It is computed if the input has sha256. */
void mnist_stream_sum(mnist_stream *stream, char text[MNIST_SHA256_TEXT]);

/** Closes a stream and sets the handle to NULL. */
void mnist_stream_close(mnist_stream **stream);

#endif
