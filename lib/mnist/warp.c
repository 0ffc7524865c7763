/*
 * Moves pixels, row by row of the result: the positions they come from in floats, these
 * as integers with FRACTION bits behind the point, and the pixels between four others.
 * The first two loops are over contiguous arrays, for vectors.
 *
 * The result is the same on every machine: of floats the code uses only +, -, * and
 * comparisons, of doubles also /, which IEEE 754 rounds exactly, in the order of the
 * source. The build forbids contraction. The rest are integers.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/warp.h"

enum {
    FRACTION = 10,
    ONE = 1 << FRACTION,
    HALF = 1 << (2 * FRACTION - 1),
    /* Zeros before and behind a row, and above and below the image. A position is at
     * most one pixel before the image or at its end, and reads the next pixel, too. */
    BEFORE = 1,
    BEHIND = 2
};

struct mnist_warp {
    size_t rows, cols, stride;
    /* Weights of the control points for each row, [rows, WARP_POINTS], and for each
     * column, [WARP_POINTS, cols]. */
    float *row_weights, *col_weights;
    /* Columns from the middle; positions of a row. All are [cols]. */
    float *middle, *x, *y;
    int32_t *column, *line;
    /* The image with zeros around it, [rows + BEFORE + BEHIND, stride]. */
    uint8_t *padded;
    uint8_t *out;
};

/* Weights of the control points at a pixel of a side: a cubic B-spline. */
static void fill_weights(float *weights, size_t step, size_t pixel, size_t side)
{
    double at = side > 1 ? (double)(pixel * WARP_CELLS) / (double)(side - 1) : 0;
    size_t cell = at < WARP_CELLS - 1 ? (size_t)at : WARP_CELLS - 1;
    double t = at - (double)cell, u = 1 - t;
    weights[cell * step] = (float)(u * u * u / 6);
    weights[(cell + 1) * step] = (float)((3 * t * t * t - 6 * t * t + 4) / 6);
    weights[(cell + 2) * step] = (float)((3 * u * u * u - 6 * u * u + 4) / 6);
    weights[(cell + 3) * step] = (float)(t * t * t / 6);
}

static void fill_tables(mnist_warp *warp)
{
    for (size_t y = 0; y < warp->rows; y++)
        fill_weights(warp->row_weights + y * WARP_POINTS, 1, y, warp->rows);
    for (size_t x = 0; x < warp->cols; x++) {
        fill_weights(warp->col_weights + x, warp->cols, x, warp->cols);
        warp->middle[x] = (float)x - (float)(warp->cols - 1) / 2;
    }
}

mnist_warp *mnist_warp_create(size_t rows, size_t cols)
{
    mnist_warp *warp = common_alloc_bytes(sizeof(*warp));
    if (!warp)
        return NULL;
    warp->rows = rows;
    warp->cols = cols;
    warp->stride = cols + BEFORE + BEHIND;
    warp->row_weights = common_alloc(rows * WARP_POINTS, sizeof(float));
    warp->col_weights = common_alloc(cols * WARP_POINTS, sizeof(float));
    warp->middle = common_alloc(cols, sizeof(float));
    warp->x = common_alloc(cols, sizeof(float));
    warp->y = common_alloc(cols, sizeof(float));
    warp->column = common_alloc(cols, sizeof(int32_t));
    warp->line = common_alloc(cols, sizeof(int32_t));
    warp->padded = common_alloc(rows + BEFORE + BEHIND, warp->stride);
    warp->out = common_alloc(rows, cols);
    if (!warp->row_weights || !warp->col_weights || !warp->middle || !warp->x ||
        !warp->y || !warp->column || !warp->line || !warp->padded || !warp->out) {
        mnist_warp_destroy(warp);
        return NULL;
    }
    fill_tables(warp);
    return warp;
}

void mnist_warp_destroy(mnist_warp *warp)
{
    if (!warp)
        return;
    common_free(warp->row_weights);
    common_free(warp->col_weights);
    common_free(warp->middle);
    common_free(warp->x);
    common_free(warp->y);
    common_free(warp->column);
    common_free(warp->line);
    common_free(warp->padded);
    common_free(warp->out);
    common_free(warp);
}

/* Sums of the control points over the rows: the points of a curve along a row. */
static void fill_points(float *restrict points, const float (*field)[WARP_POINTS],
                        const float *restrict rows)
{
    for (size_t k = 0; k < WARP_POINTS; k++)
        points[k] = 0;
    for (size_t j = 0; j < WARP_POINTS; j++)
        for (size_t k = 0; rows[j] > 0 && k < WARP_POINTS; k++)
            points[k] += rows[j] * field[j][k];
}

/* Adds a field along a row. Eight products a pixel, of which four are 0, are faster
 * than to look for the four. */
static void add_field(float *restrict to, const float (*field)[WARP_POINTS],
                      const float *restrict rows, const float *restrict w, size_t cols)
{
    _Static_assert(WARP_POINTS == 8, "the sum below has eight terms");
    float p[WARP_POINTS];
    fill_points(p, field, rows);
    for (size_t x = 0; x < cols; x++)
        to[x] += ((p[0] * w[x] + p[1] * w[cols + x]) +
                  (p[2] * w[2 * cols + x] + p[3] * w[3 * cols + x])) +
                 ((p[4] * w[4 * cols + x] + p[5] * w[5 * cols + x]) +
                  (p[6] * w[6 * cols + x] + p[7] * w[7 * cols + x]));
}

/* Positions of a row: factor times the column, and start. */
static void fill_positions(float *restrict to, const float *restrict middle,
                           float factor, float start, size_t cols)
{
    for (size_t x = 0; x < cols; x++)
        to[x] = factor * middle[x] + start;
}

/* Positions as integers, from BEFORE the image to its end, rounded. */
static void fix_positions(int32_t *restrict to, const float *restrict from,
                          float middle, float side, size_t cols)
{
    for (size_t x = 0; x < cols; x++) {
        float at = from[x] + middle;
        at = at > -BEFORE ? at : -BEFORE;
        at = at < side ? at : side;
        to[x] = (int32_t)((at + BEFORE) * ONE + 0.5f);
    }
}

/* Pixels of a row between four others: ONE parts per axis. */
static void read_pixels(const mnist_warp *warp, uint8_t *restrict out)
{
    const int32_t *column = warp->column, *line = warp->line;
    const uint8_t *padded = warp->padded;
    size_t stride = warp->stride, cols = warp->cols;
    for (size_t x = 0; x < cols; x++) {
        int32_t right = column[x] & (ONE - 1), down = line[x] & (ONE - 1);
        const uint8_t *at = padded + (size_t)(line[x] >> FRACTION) * stride +
                            (size_t)(column[x] >> FRACTION);
        const uint8_t *below = at + stride;
        int32_t upper = at[0] * ONE + (at[1] - at[0]) * right;
        int32_t lower = below[0] * ONE + (below[1] - below[0]) * right;
        out[x] =
            (uint8_t)((upper * ONE + (lower - upper) * down + HALF) >> (2 * FRACTION));
    }
}

static void fill_row(mnist_warp *warp, const mnist_warp_map *map, size_t row)
{
    size_t cols = warp->cols;
    float middle_x = (float)(cols - 1) / 2, middle_y = (float)(warp->rows - 1) / 2;
    float y = (float)row - middle_y;
    fill_positions(warp->x, warp->middle, map->xx, map->xy * y + map->x0, cols);
    fill_positions(warp->y, warp->middle, map->yx, map->yy * y + map->y0, cols);
    if (map->has_field) {
        const float *rows = warp->row_weights + row * WARP_POINTS;
        add_field(warp->x, map->ex, rows, warp->col_weights, cols);
        add_field(warp->y, map->ey, rows, warp->col_weights, cols);
    }
    fix_positions(warp->column, warp->x, middle_x, (float)cols, cols);
    fix_positions(warp->line, warp->y, middle_y, (float)warp->rows, cols);
}

const uint8_t *mnist_warp_apply(mnist_warp *warp, const uint8_t *image,
                                const mnist_warp_map *map)
{
    size_t cols = warp->cols;
    for (size_t row = 0; row < warp->rows; row++)
        memcpy(warp->padded + (row + BEFORE) * warp->stride + BEFORE,
               image + row * cols, cols);
    for (size_t row = 0; row < warp->rows; row++) {
        fill_row(warp, map, row);
        read_pixels(warp, warp->out + row * cols);
    }
    return warp->out;
}
