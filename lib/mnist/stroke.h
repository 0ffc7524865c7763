/**
 * @file
 * The strokes of a digit in the width of MNIST's.
 */
#ifndef MNIST_STROKE_H
#define MNIST_STROKE_H

#include "lib/mnist/parts.h"

/**
 * Brings the strokes of a digit to MNIST's width, relative to its height.
 *
 * @param number of the digit, from 0
 * @param[out] drawing the digit alone, light on 0; freed with common_free()
 * @retval MNIST_OK drawing was written
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_stroke_draw(const mnist_plane *ink, const mnist_groups *groups,
                               size_t number, mnist_plane *drawing);

/**
 * How thick the strokes of the largest digit are: their width in parts of 10,000 of its
 * longer side.
 *
 * @retval MNIST_OK thickness was written
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_stroke_thickness(const mnist_plane *ink, const mnist_groups *groups,
                                    size_t *thickness);

#endif
