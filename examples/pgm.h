/**
 * @file
 * Grey pictures of the netpbm family: PGM, as text (P2) or bytes (P5).
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
 * Reads a picture from the content of a file.
 *
 * Comments are skipped; values are scaled from their maximum, 1 to 65,535, to 255.
 *
 * @param[out] picture the picture; no pixels on failure
 * @param bytes content of the file
 * @param[out] why on failure one line, lower case: the value found, what was expected
 * @param why_size room in why
 * @return false when it is no PGM, or a damaged one
 */
bool pgm_read(pgm *picture, const uint8_t *bytes, size_t size, char *why,
              size_t why_size);

#endif
