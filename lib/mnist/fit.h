/**
 * @file
 * MNIST's normalisation: at most 20 by 20 pixels, centred by mass in 28 by 28.
 */
#ifndef MNIST_FIT_H
#define MNIST_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /** Longest side of the drawing. */
    MNIST_FIT_BOX = 20,
    /** Side of the output image. */
    MNIST_FIT_SIDE = 28
};

/**
 * Places a drawing so that its centre of mass is at pixel [14, 14], the middle of
 * MNIST's images, or as near as the border allows.
 *
 * @param pixels [rows, cols], at most MNIST_FIT_SIDE each
 * @param[out] out [MNIST_FIT_SIDE, MNIST_FIT_SIDE]
 */
void mnist_image_centre(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out);

/** The longer side of the box of all pixels that are not 0; 0 if all are. */
size_t mnist_image_extent(const uint8_t *pixels, size_t rows, size_t cols);

/**
 * Scales a light drawing on a background of 0 to MNIST's box and centres it.
 *
 * @param pixels [rows, cols], 1 to 65,535 each
 * @param[out] out [MNIST_FIT_SIDE, MNIST_FIT_SIDE]; all 0 if all pixels are 0
 * @return false if all pixels are 0
 */
bool mnist_image_scale(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out);

#endif
