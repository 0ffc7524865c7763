/**
 * @file
 * SHA-256 (FIPS 180-4), which identifies the files of the catalogue.
 */
#ifndef MNIST_SHA256_H
#define MNIST_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { MNIST_SHA256_BLOCK = 64, MNIST_SHA256_WORDS = 8, MNIST_SHA256_TEXT = 65 };

/** A sum in progress. */
typedef struct mnist_sha256 {
    uint32_t state[MNIST_SHA256_WORDS];
    uint64_t size;
    /** The last size % 64 bytes. */
    uint8_t block[MNIST_SHA256_BLOCK];
} mnist_sha256;

/** Begins a sum. */
void mnist_sha256_start(mnist_sha256 *sum);

/** Adds bytes. */
void mnist_sha256_add(mnist_sha256 *sum, const void *data, size_t size);

/** Ends a sum and writes it in lower-case hexadecimal. */
void mnist_sha256_end(mnist_sha256 *sum, char text[MNIST_SHA256_TEXT]);

#endif
