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

/** The paper of a picture whose pixels have this histogram, with the paper's grey. */
mnist_paper mnist_paper_of(const size_t *histogram, unsigned paper);

/** Adds the pixels of the border to a histogram. */
void mnist_count_border(size_t *histogram, const uint8_t *pixels, size_t rows,
                        size_t cols);

/** The median of a histogram. */
unsigned mnist_median(const size_t *histogram);

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
