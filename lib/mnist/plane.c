/*
 * Brings pictures to the size at which their ink is found: a longer side between 160
 * and 480 pixels. Larger pictures by areas, smaller ones by linear interpolation. Thus
 * all that follows takes the same time, and strokes have several pixels.
 */
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/plane.h"
#include "lib/mnist/status.h"

enum { SMALLEST = 160, LARGEST_SIDE = 480 };

mnist_status mnist_plane_create(mnist_plane *p, size_t rows, size_t cols)
{
    *p = (mnist_plane){rows, cols, common_alloc_bytes(rows * cols)};
    return p->pixels ? MNIST_OK
                     : mnist_fail(MNIST_OUT_OF_MEMORY,
                                  "image: no memory for %zu by %zu pixels", rows, cols);
}

void mnist_plane_destroy(mnist_plane *p)
{
    common_free(p->pixels);
    p->pixels = NULL;
}

/*
 * Means over squares of factor by factor pixels; squares at the end may be smaller.
 * With keep, the middle between the mean and the largest value, so that a light line
 * that is thinner than a square does not fade. flip is 255 to invert the pixels first,
 * else 0.
 */
static void shrink(const uint8_t *pixels, size_t rows, size_t cols, size_t factor,
                   bool keep, uint8_t flip, mnist_plane *to)
{
    for (size_t row = 0; row < to->rows; row++)
        for (size_t col = 0; col < to->cols; col++) {
            size_t bottom = (row + 1) * factor < rows ? (row + 1) * factor : rows;
            size_t right = (col + 1) * factor < cols ? (col + 1) * factor : cols;
            uint64_t sum = 0;
            uint8_t largest = 0;
            for (size_t y = row * factor; y < bottom; y++)
                for (size_t x = col * factor; x < right; x++) {
                    uint8_t value = pixels[y * cols + x] ^ flip;
                    sum += value;
                    largest = common_larger(value, largest);
                }
            size_t area = (bottom - row * factor) * (right - col * factor);
            uint8_t mean = (uint8_t)((sum + area / 2) / area);
            to->pixels[row * to->cols + col] =
                keep ? (uint8_t)((mean + largest) / 2) : mean;
        }
}

/* Where pixel index of a picture that is factor times as large lies: between source
 * pixels at and at + 1, with a weight of the second in parts of 2 factor. */
static void position(size_t index, size_t factor, size_t *at, size_t *weight)
{
    size_t place = 2 * index + 1 > factor ? 2 * index + 1 - factor : 0;
    *at = place / (2 * factor);
    *weight = place % (2 * factor);
}

/* Linear interpolation of a picture to one that is factor times as large, or to the
 * part of it that to has. */
static void enlarge(const uint8_t *pixels, size_t rows, size_t cols, size_t factor,
                    mnist_plane *to)
{
    for (size_t row = 0; row < to->rows; row++) {
        size_t y, down;
        position(row, factor, &y, &down);
        const uint8_t *upper = pixels + y * cols;
        const uint8_t *lower = y + 1 < rows ? upper + cols : upper;
        for (size_t col = 0; col < to->cols; col++) {
            size_t x, across, all = 2 * factor;
            position(col, factor, &x, &across);
            size_t next = x + 1 < cols ? x + 1 : x;
            size_t top = upper[x] * (all - across) + upper[next] * across;
            size_t bottom = lower[x] * (all - across) + lower[next] * across;
            to->pixels[row * to->cols + col] =
                (uint8_t)((top * (all - down) + bottom * down + all * all / 2) /
                          (all * all));
        }
    }
}

mnist_status mnist_plane_resize(const uint8_t *pixels, size_t rows, size_t cols,
                                mnist_paper paper, bool keep, mnist_plane *to)
{
    uint8_t flip = paper == MNIST_PAPER_LIGHT ? 255 : 0;
    size_t longer = common_larger(rows, cols);
    size_t factor = longer > LARGEST_SIDE ? (longer + LARGEST_SIDE - 1) / LARGEST_SIDE
                                          : (SMALLEST + longer - 1) / longer;
    bool shrinks = longer > LARGEST_SIDE;
    mnist_status status = shrinks
                              ? mnist_plane_create(to, (rows + factor - 1) / factor,
                                                   (cols + factor - 1) / factor)
                              : mnist_plane_create(to, rows * factor, cols * factor);
    if (status)
        return status;
    if (shrinks) {
        shrink(pixels, rows, cols, factor, keep, flip, to);
        return MNIST_OK;
    }
    enlarge(pixels, rows, cols, factor, to);
    for (size_t i = 0; i < to->rows * to->cols; i++)
        to->pixels[i] ^= flip;
    return MNIST_OK;
}

void mnist_plane_smooth(mnist_plane *p, uint8_t *scratch)
{
    for (size_t row = 0; row < p->rows; row++)
        for (size_t col = 0; col < p->cols; col++) {
            unsigned sum = 0, count = 0;
            size_t bottom = row + 1 < p->rows ? row + 1 : row;
            size_t right = col + 1 < p->cols ? col + 1 : col;
            for (size_t y = row ? row - 1 : 0; y <= bottom; y++)
                for (size_t x = col ? col - 1 : 0; x <= right; x++, count++)
                    sum += p->pixels[y * p->cols + x];
            scratch[row * p->cols + col] = (uint8_t)((sum + count / 2) / count);
        }
    memcpy(p->pixels, scratch, p->rows * p->cols);
}
