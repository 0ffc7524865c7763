/**
 * @file
 * The skeletons of the synthetic digits.
 *
 * A shape is the path of the pen as text: points "x,y" separated by blanks, with x to
 * the right, from 0 to about 70, and y down, from 0 to 100. A "/" before a point starts
 * a new stroke there, a "^" makes a sharp corner, and the pen passes through all other
 * points in a smooth curve. The shapes of a family have the same number of points in
 * the same order, so that interpolations between two of them show the same digit.
 */
#ifndef MNIST_SYNTHETIC_SHAPES_H
#define MNIST_SYNTHETIC_SHAPES_H

#include <stddef.h>

enum {
    /** Largest number of points in a shape. */
    SYNTHETIC_MAX_POINTS = 16,
    /** Largest number of families of a digit. */
    SYNTHETIC_MAX_FAMILIES = 8
};

/** One way to write a digit. */
typedef struct synthetic_family {
    /** Relative frequency among the families of the digit; 0 ends the row. */
    unsigned weight;
    size_t count;
    const char *const *shapes;
} synthetic_family;

/** The families of each digit. A weight of 0 ends a row that is not full. */
extern const synthetic_family mnist_synthetic_families[10][SYNTHETIC_MAX_FAMILIES];

#endif
