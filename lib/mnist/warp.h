/**
 * @file
 * Moves the pixels of an image: an affine map and a field of displacements.
 */
#ifndef LIB_MNIST_WARP_H
#define LIB_MNIST_WARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /** Most rows and columns of an image. */
    WARP_MOST_SIDE = 4096,
    /** Cells of the field along each side of the image, and its control points: those
     * of the 6 x 6 corners of cells, and one more beyond each side. */
    WARP_CELLS = 5,
    WARP_POINTS = WARP_CELLS + 3
};

/**
 * Where the pixels of the result come from. With x to the right and y down, both
 * counted from the middle of the image, the pixel at (x, y) is read at
 *
 *     (xx x + xy y + x0 + ex(x, y), yx x + yy y + y0 + ey(x, y)).
 *
 * ex and ey are uniform cubic B-splines: never beyond the control points, with
 * continuous second derivatives.
 */
typedef struct mnist_warp_map {
    float xx, xy, x0, yx, yy, y0;
    /** Whether ex and ey are not 0. */
    bool has_field;
    /** Control points of ex and ey, row by row. */
    float ex[WARP_POINTS][WARP_POINTS], ey[WARP_POINTS][WARP_POINTS];
} mnist_warp_map;

/** Memory and tables for images of one size. */
typedef struct mnist_warp mnist_warp;

/** Creates the tables; NULL if there is not enough memory. rows and cols are 1 to
 *  WARP_MOST_SIDE. */
mnist_warp *mnist_warp_create(size_t rows, size_t cols);

/** Uses the instructions of AVX2 or not, with the same results. They are used if the
 *  processor has them. Returns whether they are. */
bool mnist_warp_choose(mnist_warp *warp, bool avx2);

/** Frees the tables; NULL is allowed. */
void mnist_warp_destroy(mnist_warp *warp);

/**
 * Moves the pixels of an image [rows, cols].
 *
 * Each pixel is interpolated between the four nearest ones, with zeros around the
 * image, and rounded to a byte.
 *
 * @return the result, [rows, cols], valid until the next call
 */
const uint8_t *mnist_warp_apply(mnist_warp *warp, const uint8_t *image,
                                const mnist_warp_map *map);

#endif
