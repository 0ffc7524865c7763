/**
 * @file
 * Reads greyscale pictures in netpbm's PGM format, text (P2) or binary (P5).
 */
#ifndef EXAMPLES_PGM_H
#define EXAMPLES_PGM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A picture; pixels [rows, cols], 0 black to 255 white, freed with free(). */
typedef struct pgm {
    uint8_t *pixels;
    size_t rows, cols;
} pgm;

/** Largest number of rows and of columns. */
enum { PGM_LARGEST = 65535 };

/**
 * Parses a PGM file in memory.
 *
 * Values are scaled from the maximum of the file, 1 to 65,535, to 255.
 *
 * @param[out] picture the picture; its pixels are NULL on failure
 * @param bytes [size] content of the file
 * @param[out] why [why_size] on failure, one line with the value found and the value
 * expected
 * @return false if the bytes are not a valid PGM picture, or on a failed allocation
 */
bool pgm_read(pgm *picture, const uint8_t *bytes, size_t size, char *why,
              size_t why_size);

#endif
