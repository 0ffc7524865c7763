/**
 * @file
 * Files of digits as images in MNIST's form: PGM pictures and IDX files.
 */
#ifndef EXAMPLES_PREDICT_PICTURE_H
#define EXAMPLES_PREDICT_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The images of a file. */
typedef struct pictures {
    size_t count;
    /** [count, 28, 28], light on dark; freed with free(). */
    uint8_t *images;
    /** Whether the file has an index, and not one picture alone. */
    bool indexed;
    /** How many were dark on light and are inverted. */
    size_t inverted;
} pictures;

/** The word for standard input in place of a file. */
extern const char *const picture_stdin;

/**
 * Reads a PGM picture or an IDX file, plain or gzip, told apart by content.
 *
 * Images of 28 by 28 stay as they are, others are cut out, scaled and centred. What is
 * dark on light is inverted.
 *
 * @param path the file, or picture_stdin for a PGM picture on standard input
 * @param[out] why on failure one line that begins with the name of the file
 * @return false when it failed; there is nothing to free
 */
bool pictures_read(pictures *read, const char *path, char *why, size_t why_size);

#endif
