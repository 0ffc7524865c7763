/**
 * @file
 * The parts of ink while digits are made of them.
 */
#ifndef MNIST_PART_H
#define MNIST_PART_H

#include <stdbool.h>

#include "lib/common/extremes.h"
#include "lib/mnist/parts.h"

/** A part, and the digit that it belongs to. */
typedef struct mnist_part {
    /* The box of the part, and of the chain of dashes that it belongs to. */
    mnist_group box, whole;
    /* Sides of its pixels that are next to paper, its outermost pixels, and those
     * without an edge. */
    size_t outline, outer, soft;
    bool touches, left_out;
    /* Whether it is a line under or over digits. */
    bool line;
    size_t group;
} mnist_part;

typedef struct mnist_parts {
    mnist_part *all;
    size_t count;
} mnist_parts;

static inline size_t mnist_group_height(const mnist_group *g)
{
    return g->bottom - g->top;
}

static inline size_t mnist_group_width(const mnist_group *g)
{
    return g->right - g->left;
}

static inline size_t mnist_group_extent(const mnist_group *g)
{
    return common_larger(mnist_group_height(g), mnist_group_width(g));
}

static inline void mnist_group_include(mnist_group *g, size_t top, size_t left,
                                       size_t bottom, size_t right)
{
    bool empty = g->bottom == 0;
    g->top = empty || top < g->top ? top : g->top;
    g->left = empty || left < g->left ? left : g->left;
    g->bottom = bottom > g->bottom ? bottom : g->bottom;
    g->right = right > g->right ? right : g->right;
}

/** How far two sums of ends are from each other. */
static inline size_t mnist_part_apart(size_t a, size_t b)
{
    return common_larger(a, b) - common_smaller(a, b);
}

/** Length of the overlap of two ranges, or minus the gap between them. */
static inline ptrdiff_t mnist_part_overlap(size_t start, size_t end, size_t from,
                                           size_t to)
{
    return (ptrdiff_t)(end < to ? end : to) - (ptrdiff_t)(start > from ? start : from);
}

/** Whether a part that is in no chain is a straight stroke or a point: its outline is
 *  hardly longer than that of its box, which it fills unless that is narrow. */
static inline bool mnist_part_is_solid(const mnist_part *p)
{
    size_t high = mnist_group_height(&p->box), wide = mnist_group_width(&p->box);
    bool narrow = high >= 2 * wide || wide >= 2 * high;
    return 5 * p->outline <= 11 * (high + wide) &&
           (narrow || 4 * p->box.area >= 3 * high * wide) &&
           mnist_group_extent(&p->box) == mnist_group_extent(&p->whole);
}

/** Gives all parts of a group to another. */
static inline void mnist_parts_merge(mnist_parts *found, size_t from, size_t to)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].group == from)
            found->all[i].group = to;
}

/**
 * Merges parts into digits, and writes these in order.
 *
 * @param[in,out] groups owners has 1 + number of the part of each pixel; then of the
 * digit
 * @param found left_out of those that belong to no digit
 * @param pixels of the picture
 * @param shaded whether the light differs over the picture
 * @retval MNIST_BLANK there is no digit
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_parts_group(mnist_groups *groups, mnist_parts *found, size_t pixels,
                               bool shaded);

#endif
