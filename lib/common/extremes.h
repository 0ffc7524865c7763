/**
 * @file
 * The smaller and the larger of two sizes.
 */
#ifndef COMMON_EXTREMES_H
#define COMMON_EXTREMES_H

#include <stddef.h>

static inline size_t common_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t common_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
