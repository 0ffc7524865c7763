/**
 * @file
 * From a grey picture to its ink: which pixels of it are drawn.
 */
#ifndef MNIST_INK_H
#define MNIST_INK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/image.h>

/** A grey picture in memory of its own. */
typedef struct mnist_plane {
    size_t rows, cols;
    uint8_t *pixels;
} mnist_plane;

/** Histograms of pictures: of their borders, and of all their pixels. */
typedef struct mnist_greys {
    size_t border[256], all[256];
} mnist_greys;

/** Adds a picture. */
void mnist_greys_add(mnist_greys *greys, const uint8_t *pixels, size_t rows,
                     size_t cols);

/** The paper of all pictures together. */
mnist_paper mnist_greys_paper(const mnist_greys *greys);

/**
 * Finds the ink of a picture.
 *
 * @param pixels [rows, cols], 1 to 65,535 each
 * @param paper of the picture, or MNIST_PAPER_AUTO
 * @param[out] ink 255 where the picture is drawn, else 0, at a size of its own that
 *        keeps the aspect ratio; freed with common_free() of its pixels
 * @retval MNIST_OK ink was written
 * @retval MNIST_BLANK nothing stands out from the paper
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_find_ink(const uint8_t *pixels, size_t rows, size_t cols,
                            mnist_paper paper, mnist_plane *ink);

#endif
