/**
 * @file
 * How digits are written: the skeletons of the synthetic digits.
 *
 * A shape is the path of the pen as text: points "x,y" with a blank between them, x to
 * the right from 0 to about 70, y down from 0 to 100. The pen is put down at a point
 * that begins with "/", turns sharply at one that begins with "^", and passes through
 * all others in a curve. Shapes of one family have the same points in the same order,
 * so that anything between two of them is the digit as well.
 */
#ifndef MNIST_SYNTHETIC_SHAPES_H
#define MNIST_SYNTHETIC_SHAPES_H

#include <stddef.h>

enum {
    /** Most points of a shape. */
    SYNTHETIC_MOST_POINTS = 16,
    /** Most families of a digit. */
    SYNTHETIC_MOST_FAMILIES = 8
};

/** One way to write a digit. */
typedef struct synthetic_family {
    /** How often, against the other families of the digit; 0 is none. */
    unsigned weight;
    size_t count;
    const char *const *shapes;
} synthetic_family;

/** The families of each digit; the row ends with the first of weight 0. */
extern const synthetic_family mnist_synthetic_families[10][SYNTHETIC_MOST_FAMILIES];

#endif
