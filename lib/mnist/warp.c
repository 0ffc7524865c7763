/*
 * Moves pixels, some rows of the result at a time: the positions they come from in
 * floats, these as integers with FRACTION bits behind the point, the four pixels around
 * each, and the pixels between these. The loops are over contiguous arrays, for
 * vectors, and are compiled twice on x86-64: for all processors, and for those with
 * AVX2.
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
    BEHIND = 2,
    /* Pixels of the result at a time, unless a row has more: their positions stay in
     * the first level cache. */
    BAND = 1024
};

#if defined(__x86_64__)
#define HAS_AVX2 1
#else
#define HAS_AVX2 0
#endif

struct mnist_warp {
    /* band rows of the result are computed at a time. */
    size_t rows, cols, stride, band;
    bool has_avx2;
    /* Weights of the control points for each row, [rows, WARP_POINTS], and for each
     * column, [WARP_POINTS, cols]. */
    float *row_weights, *col_weights;
    /* [cols] columns from the middle. */
    float *middle;
    /* Of each pixel of a band, [band, cols]: the position it comes from, and the four
     * pixels around that. */
    float *x, *y;
    int32_t *column, *line;
    uint32_t *four;
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
    warp->band = cols < BAND ? BAND / cols : 1;
    warp->band = warp->band < rows ? warp->band : rows;
    mnist_warp_choose(warp, true);
    warp->row_weights = common_alloc(rows * WARP_POINTS, sizeof(float));
    warp->col_weights = common_alloc(cols * WARP_POINTS, sizeof(float));
    warp->middle = common_alloc(cols, sizeof(float));
    warp->x = common_alloc(warp->band * cols, sizeof(float));
    warp->y = common_alloc(warp->band * cols, sizeof(float));
    warp->column = common_alloc(warp->band * cols, sizeof(int32_t));
    warp->line = common_alloc(warp->band * cols, sizeof(int32_t));
    warp->four = common_alloc(warp->band * cols, sizeof(uint32_t));
    warp->padded = common_alloc(rows + BEFORE + BEHIND, warp->stride);
    warp->out = common_alloc(rows, cols);
    if (!warp->row_weights || !warp->col_weights || !warp->middle || !warp->x ||
        !warp->y || !warp->column || !warp->line || !warp->four || !warp->padded ||
        !warp->out) {
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
    common_free(warp->four);
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
                          float middle, float side, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float at = from[i] + middle;
        at = at > -BEFORE ? at : -BEFORE;
        at = at < side ? at : side;
        to[i] = (int32_t)((at + BEFORE) * ONE + 0.5f);
    }
}

/* The four pixels around each position, one in each byte: left and right of the upper
 * row, then of the lower one. Memory has the low byte first. */
static void read_pixels(uint32_t *restrict four, const uint8_t *restrict padded,
                        size_t stride, const int32_t *restrict column,
                        const int32_t *restrict line, size_t count)
{
    uint32_t width = (uint32_t)stride;
    for (size_t i = 0; i < count; i++)
        four[i] =
            (uint32_t)(line[i] >> FRACTION) * width + (uint32_t)(column[i] >> FRACTION);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = padded + four[i];
        uint16_t upper, lower;
        memcpy(&upper, at, sizeof(upper));
        memcpy(&lower, at + stride, sizeof(lower));
        four[i] = upper | (uint32_t)lower << 16;
    }
}

/* Pixels between four others: ONE parts per axis. */
static void mix_pixels(uint8_t *restrict out, const uint32_t *restrict four,
                       const int32_t *restrict column, const int32_t *restrict line,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t right = column[i] & (ONE - 1), down = line[i] & (ONE - 1);
        int32_t a = (int32_t)(four[i] & 255), b = (int32_t)(four[i] >> 8 & 255);
        int32_t c = (int32_t)(four[i] >> 16 & 255), d = (int32_t)(four[i] >> 24);
        int32_t upper = a * ONE + (b - a) * right, lower = c * ONE + (d - c) * right;
        out[i] =
            (uint8_t)((upper * ONE + (lower - upper) * down + HALF) >> (2 * FRACTION));
    }
}

/* The positions that a row of the result comes from, the first one at x[0] and y[0]. */
static void fill_row(const mnist_warp *warp, const mnist_warp_map *map, size_t row,
                     float *x, float *y)
{
    size_t cols = warp->cols;
    float down = (float)row - (float)(warp->rows - 1) / 2;
    fill_positions(x, warp->middle, map->xx, map->xy * down + map->x0, cols);
    fill_positions(y, warp->middle, map->yx, map->yy * down + map->y0, cols);
    if (map->has_field) {
        const float *rows = warp->row_weights + row * WARP_POINTS;
        add_field(x, map->ex, rows, warp->col_weights, cols);
        add_field(y, map->ey, rows, warp->col_weights, cols);
    }
}

/* Computes the rows of the result from first up to end. */
static void fill_band(const mnist_warp *warp, const mnist_warp_map *map, size_t first,
                      size_t end)
{
    size_t rows = warp->rows, cols = warp->cols, count = (end - first) * cols;
    for (size_t row = first; row < end; row++)
        fill_row(warp, map, row, warp->x + (row - first) * cols,
                 warp->y + (row - first) * cols);
    fix_positions(warp->column, warp->x, (float)(cols - 1) / 2, (float)cols, count);
    fix_positions(warp->line, warp->y, (float)(rows - 1) / 2, (float)rows, count);
    read_pixels(warp->four, warp->padded, warp->stride, warp->column, warp->line,
                count);
    mix_pixels(warp->out + first * cols, warp->four, warp->column, warp->line, count);
}

#if HAS_AVX2
/* The same, with all that it calls, for processors with AVX2. */
__attribute__((target("avx2"), flatten)) static void fill_band_avx2(
    const mnist_warp *warp, const mnist_warp_map *map, size_t first, size_t end)
{
    fill_band(warp, map, first, end);
}
#endif

bool mnist_warp_choose(mnist_warp *warp, bool avx2)
{
#if HAS_AVX2
    warp->has_avx2 = avx2 && __builtin_cpu_supports("avx2");
#else
    (void)avx2;
#endif
    return warp->has_avx2;
}

static void fill(const mnist_warp *warp, const mnist_warp_map *map, size_t first,
                 size_t end)
{
#if HAS_AVX2
    if (warp->has_avx2) {
        fill_band_avx2(warp, map, first, end);
        return;
    }
#endif
    fill_band(warp, map, first, end);
}

const uint8_t *mnist_warp_apply(mnist_warp *warp, const uint8_t *image,
                                const mnist_warp_map *map)
{
    size_t rows = warp->rows, cols = warp->cols, end;
    for (size_t row = 0; row < rows; row++)
        memcpy(warp->padded + (row + BEFORE) * warp->stride + BEFORE,
               image + row * cols, cols);
    for (size_t first = 0; first < rows; first = end) {
        end = rows - first < warp->band ? rows : first + warp->band;
        fill(warp, map, first, end);
    }
    return warp->out;
}
