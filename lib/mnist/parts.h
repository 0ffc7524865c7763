/**
 * @file
 * The connected parts of ink, and the digits that they make up.
 */
#ifndef MNIST_PARTS_H
#define MNIST_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mnist/ink.h"

/** A digit: the box of its parts. */
typedef struct mnist_group {
    size_t top, left, bottom, right;
    size_t area;
    /** Number of its first part. */
    size_t first;
    /** Whether it is a straight stroke or a point. */
    bool solid;
} mnist_group;

/** The digits of ink. */
typedef struct mnist_groups {
    /** [count], lines from top to bottom, in each from left to right. */
    mnist_group *groups;
    size_t count;
    /** [rows * cols] 1 + number of the digit of each pixel, 0 for paper and specks. */
    uint32_t *owners;
    /** Whether something that was left out may have a digit: it touches the border, or
     *  the edge of a shadow. */
    bool hidden;
} mnist_groups;

/**
 * Finds the digits of ink. Specks and frames belong to none.
 *
 * @param[in,out] ink printed boxes are erased
 * @param shaded whether the light differs over the picture: then what touches its
 * border may be the edge of a shadow, and belongs to no digit
 * @param[out] groups freed with mnist_groups_destroy(), also after a failure
 * @retval MNIST_OK groups was written
 * @retval MNIST_BLANK there is no digit
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_groups_find(mnist_groups *groups, mnist_plane *ink, bool shaded);

void mnist_groups_destroy(mnist_groups *groups);

#endif
