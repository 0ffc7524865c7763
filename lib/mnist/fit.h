/**
 * @file
 * MNIST's form of a picture: 20 by 20 pixels at most, centred by mass in 28 by 28.
 */
#ifndef MNIST_FIT_H
#define MNIST_FIT_H

#include <stddef.h>
#include <stdint.h>

enum {
    /** Longest side of the drawing. */
    MNIST_FIT_BOX = 20,
    /** Side of the picture that it is placed in. */
    MNIST_FIT_SIDE = 28
};

/**
 * Places a drawing so that its centre of mass is in the middle, which in MNIST is the
 * pixel at [14, 14], as far as the drawing stays inside.
 *
 * @param pixels [rows, cols], at most MNIST_FIT_SIDE each
 * @param[out] out [MNIST_FIT_SIDE, MNIST_FIT_SIDE]
 */
void mnist_image_centre(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out);

#endif
