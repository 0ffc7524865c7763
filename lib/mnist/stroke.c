/*
 * Brings strokes to MNIST's width.
 *
 * The width of strokes is twice their area divided by the length of their outline. An
 * outline along sides of pixels is 4 / pi times as long as the line that it follows,
 * for lines in all directions. In MNIST's box of 20 pixels most strokes have a width
 * between 2 and 4 pixels. Thinner strokes grow and wider ones shrink, by the same
 * distance on all sides. Distances are weights of 5 for a step to a side and 7 to a
 * corner: at most 8% from the Euclidean ones.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/fit.h"
#include "lib/mnist/status.h"
#include "lib/mnist/stroke.h"

/* Widths are in hundredths of a pixel of MNIST's box; distances in fifths of a pixel of
 * the ink. */
enum { UNIT = 100, THINNEST = 260, WIDEST = 400, SIDE = 5, CORNER = 7, FAR = 1 << 28 };

/* A canvas of the digit with a margin, in which strokes can grow. */
typedef struct canvas {
    size_t rows, cols;
    /** 1 for ink. */
    uint8_t *ink;
    /** Distance to the nearest ink, or in ink to the nearest paper. */
    int32_t *outside, *inside;
} canvas;

static size_t extent_of(const mnist_group *g)
{
    size_t tall = g->bottom - g->top, wide = g->right - g->left;
    return common_larger(tall, wide);
}

static size_t margin_of(const mnist_group *g)
{
    return extent_of(g) / 6 + 2;
}

static mnist_status create(canvas *c, const mnist_plane *ink,
                           const mnist_groups *groups, size_t number)
{
    const mnist_group *g = &groups->groups[number];
    size_t margin = margin_of(g);
    c->rows = g->bottom - g->top + 2 * margin;
    c->cols = g->right - g->left + 2 * margin;
    size_t count = c->rows * c->cols;
    c->ink = common_alloc_bytes(count);
    c->outside = common_alloc(count, sizeof(*c->outside));
    c->inside = common_alloc(count, sizeof(*c->inside));
    if (!c->ink || !c->outside || !c->inside)
        return mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu pixels",
                          count);
    for (size_t y = g->top; y < g->bottom; y++)
        for (size_t x = g->left; x < g->right; x++)
            c->ink[(y - g->top + margin) * c->cols + x - g->left + margin] =
                groups->owners[y * ink->cols + x] == number + 1;
    return MNIST_OK;
}

static void destroy(canvas *c)
{
    common_free(c->ink);
    common_free(c->outside);
    common_free(c->inside);
}

/* Lowers the distance at a pixel to that of a neighbour and the step between them. */
static void lower(int32_t *distance, ptrdiff_t neighbour, int32_t step)
{
    int32_t through = distance[neighbour] + step;
    if (through < *distance)
        *distance = through;
}

/* Distances of all pixels to the nearest one whose ink is of. The pixels of the border
 * keep theirs: they are paper, and far from all. */
static void measure(const canvas *c, int32_t *distance, uint8_t of)
{
    ptrdiff_t cols = (ptrdiff_t)c->cols;
    for (size_t i = 0; i < c->rows * c->cols; i++)
        distance[i] = c->ink[i] == of ? 0 : FAR;
    for (size_t row = 1; row + 1 < c->rows; row++)
        for (size_t col = 1; col + 1 < c->cols; col++) {
            int32_t *at = &distance[row * c->cols + col];
            lower(at, -1, SIDE);
            lower(at, -cols, SIDE);
            lower(at, -cols - 1, CORNER);
            lower(at, -cols + 1, CORNER);
        }
    for (size_t row = c->rows - 2; row > 0; row--)
        for (size_t col = c->cols - 2; col > 0; col--) {
            int32_t *at = &distance[row * c->cols + col];
            lower(at, 1, SIDE);
            lower(at, cols, SIDE);
            lower(at, cols + 1, CORNER);
            lower(at, cols - 1, CORNER);
        }
}

/* Width of the strokes in hundredths of a pixel of the ink. */
static size_t width_of(const canvas *c)
{
    size_t area = 0, outline = 0;
    for (size_t row = 1; row + 1 < c->rows; row++)
        for (size_t col = 1; col + 1 < c->cols; col++) {
            const uint8_t *at = &c->ink[row * c->cols + col];
            if (!*at)
                continue;
            area++;
            outline += !at[-1] + !at[1] + !at[-(ptrdiff_t)c->cols] + !at[c->cols];
        }
    /* 2 area / (outline pi / 4) */
    return outline ? 2 * area * UNIT * 4 * 113 / (outline * 355) : 0;
}

/* By how much strokes grow on each side, in fifths of a pixel of the ink. */
static ptrdiff_t growth_of(const canvas *c, const mnist_group *g)
{
    size_t longer = extent_of(g), width = width_of(c);
    /* Widths in MNIST's box: width * 20 / longer. Growing makes the digit larger, too,
     * by which it is scaled down again: the width w that is w + d becomes
     * (w + d) * 20 / (longer + d). */
    ptrdiff_t target = width * MNIST_FIT_BOX < THINNEST * longer ? THINNEST
                       : width * MNIST_FIT_BOX > WIDEST * longer ? WIDEST
                                                                 : 0;
    if (target == 0)
        return 0;
    ptrdiff_t twice = (target * (ptrdiff_t)longer - MNIST_FIT_BOX * (ptrdiff_t)width) *
                      SIDE / (MNIST_FIT_BOX * UNIT - target);
    ptrdiff_t most = (ptrdiff_t)(margin_of(g) - 2) * SIDE;
    return twice / 2 < most ? twice / 2 : most;
}

/* Writes the ink, grown by so much on each side: soft within half a pixel of its edge.
 */
static void draw(const canvas *c, ptrdiff_t growth, uint8_t *to)
{
    for (size_t i = 0; i < c->rows * c->cols; i++) {
        /* Distances of middles of pixels; the edge is half a pixel from each. */
        ptrdiff_t from_edge =
            c->ink[i] ? c->inside[i] - SIDE / 2 - 1 : -(c->outside[i] - SIDE / 2 - 1);
        ptrdiff_t cover = from_edge + growth + SIDE / 2 + 1;
        to[i] =
            (uint8_t)(cover <= 0 ? 0
                                 : common_smaller((size_t)cover, SIDE) * 255 / SIDE);
    }
}

mnist_status mnist_stroke_draw(const mnist_plane *ink, const mnist_groups *groups,
                               size_t number, mnist_plane *drawing)
{
    canvas c = {0};
    *drawing = (mnist_plane){0};
    mnist_status status = create(&c, ink, groups, number);
    if (!status) {
        *drawing = (mnist_plane){c.rows, c.cols, common_alloc_bytes(c.rows * c.cols)};
        if (!drawing->pixels)
            status = mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for the digit");
    }
    if (!status) {
        measure(&c, c.outside, 1);
        measure(&c, c.inside, 0);
        draw(&c, growth_of(&c, &groups->groups[number]), drawing->pixels);
    }
    destroy(&c);
    return status;
}

mnist_status mnist_stroke_thickness(const mnist_plane *ink, const mnist_groups *groups,
                                    size_t *thickness)
{
    canvas c = {0};
    size_t largest = 0;
    for (size_t i = 1; i < groups->count; i++)
        if (extent_of(&groups->groups[i]) > extent_of(&groups->groups[largest]))
            largest = i;
    mnist_status status = create(&c, ink, groups, largest);
    size_t longer = extent_of(&groups->groups[largest]);
    if (!status)
        *thickness = UNIT * width_of(&c) / longer;
    destroy(&c);
    return status;
}
