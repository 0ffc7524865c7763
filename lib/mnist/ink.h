/**
 * @file
 * From a grey picture to its ink: which pixels of it are drawn.
 */
#ifndef MNIST_INK_H
#define MNIST_INK_H

#include "lib/mnist/plane.h"

enum {
    /** Ink. */
    MNIST_INK = 255,
    /** Ink whose outer side has no edge in the picture: it may be light. */
    MNIST_INK_SOFT = 128
};

/**
 * Finds the ink of a picture.
 *
 * @param pixels [rows, cols], 1 to 65,535 each
 * @param paper of the picture, not MNIST_PAPER_AUTO
 * @param[out] ink MNIST_INK or MNIST_INK_SOFT where the picture is drawn, else 0, at a
 * size of its own that keeps the aspect ratio; freed with common_free() of its pixels
 * @param[out] shaded whether the light differs over the picture
 * @retval MNIST_OK ink was written
 * @retval MNIST_BLANK nothing stands out from the paper
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_find_ink(const uint8_t *pixels, size_t rows, size_t cols,
                            mnist_paper paper, mnist_plane *ink, bool *shaded);

#endif
