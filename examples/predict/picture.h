/**
 * @file
 * Reads PGM pictures and IDX files as images in the format of MNIST.
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
    /** Whether the file is an IDX file, whose images have an index. */
    bool indexed;
    /** Number of images that were dark on light and have been inverted. */
    size_t inverted;
} pictures;

/** The argument that selects standard input. */
extern const char *const picture_stdin;

/**
 * Reads a PGM picture or an IDX file, plain or gzip; detects the format by content.
 *
 * Images of 28 by 28 pixels keep their size and position; others are cropped, scaled
 * and centred as in MNIST. Images that are dark on light are inverted.
 *
 * @param path the file, or picture_stdin for a PGM picture on standard input
 * @param[out] why on failure, one line that begins with the name of the file
 * @return false on failure, with nothing to free
 */
bool pictures_read(pictures *read, const char *path, char *why, size_t why_size);

#endif
