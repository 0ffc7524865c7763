/**
 * @file
 * Grey pictures in memory of their own, and their size.
 */
#ifndef MNIST_PLANE_H
#define MNIST_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/image.h>

/** A grey picture in memory of its own. */
typedef struct mnist_plane {
    size_t rows, cols;
    uint8_t *pixels;
} mnist_plane;

/**
 * Reserves memory of [rows, cols] pixels.
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_plane_create(mnist_plane *p, size_t rows, size_t cols);

void mnist_plane_destroy(mnist_plane *p);

/**
 * Brings a picture to the size at which ink is found, light on dark.
 *
 * @param paper MNIST_PAPER_LIGHT inverts the picture
 * @param keep whether light lines that are thinner than a pixel of the result stay
 *        light; else each pixel is a mean
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_plane_resize(const uint8_t *pixels, size_t rows, size_t cols,
                                mnist_paper paper, bool keep, mnist_plane *to);

/** Means over 3 by 3 pixels, fewer at the border. scratch has as many bytes as p. */
void mnist_plane_smooth(mnist_plane *p, uint8_t *scratch);

#endif
