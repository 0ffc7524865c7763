/*
 * Finds the background of a picture: a morphological opening, whose window is wider
 * than a stroke.
 *
 * 1. A median over 5 by 5 pixels removes noise and keeps edges.
 * 2. The smallest value of a window around each pixel, and of these the largest in the
 *    same window: an opening. What is lighter than its surroundings and narrower than
 *    the window is gone. A straight edge stays where it is, whatever its direction,
 *    and so does light that rises over the page.
 */
#include "lib/mnist/background.h"
#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/status.h"

enum { GREYS = 256, REACH = 2, MIDDLE = (2 * REACH + 1) * (2 * REACH + 1) / 2 };

static size_t clamped(size_t index, size_t offset, size_t count)
{
    size_t at = index + offset;
    return at < REACH ? 0 : at - REACH < count ? at - REACH : count - 1;
}

/* Adds, or removes, a column of a window to its histogram; below counts the values
 * below grey. */
static void change_column(const mnist_plane *p, size_t row, size_t col,
                          unsigned *histogram, int sign, unsigned grey, unsigned *below)
{
    for (size_t k = 0; k < 2 * REACH + 1; k++) {
        uint8_t value = p->pixels[clamped(row, k, p->rows) * p->cols + col];
        histogram[value] += (unsigned)sign;
        *below += value < grey ? (unsigned)sign : 0;
    }
}

/* Medians of 5 by 5 pixels. The border goes on outside the picture. */
static void filter(const mnist_plane *p, uint8_t *to)
{
    for (size_t row = 0; row < p->rows; row++) {
        unsigned histogram[GREYS] = {0}, grey = 0, below = 0;
        for (size_t k = 0; k < 2 * REACH; k++)
            change_column(p, row, clamped(0, k, p->cols), histogram, 1, grey, &below);
        for (size_t col = 0; col < p->cols; col++) {
            change_column(p, row, clamped(col, 2 * REACH, p->cols), histogram, 1, grey,
                          &below);
            while (below > MIDDLE)
                below -= histogram[--grey];
            while (below + histogram[grey] <= MIDDLE)
                below += histogram[grey++];
            to[row * p->cols + col] = (uint8_t)grey;
            change_column(p, row, clamped(col, 0, p->cols), histogram, -1, grey,
                          &below);
        }
    }
}

/* The window of a pixel: as long before it as after it, and, unless least is radius,
 * short near an end, so that light that rises towards the end is background there, too.
 */
typedef struct window {
    size_t count, radius, least;
} window;

static void bounds(const window *w, size_t at, size_t *first, size_t *last)
{
    size_t end = common_smaller(at, w->count - 1 - at);
    size_t reach = end > w->radius ? w->radius : common_larger(end, w->least);
    *first = common_larger(at, reach) - reach;
    *last = at + reach < w->count ? at + reach : w->count - 1;
}

/*
 * The smallest of each window of a line whose pixels have a distance of stride; flip is
 * 255 for the largest. The queue has the places whose value is below all later ones, in
 * order. Both ends of the windows only go forwards.
 */
static void extreme_of_line(const uint8_t *from, uint8_t *to, size_t stride,
                            const window *w, uint8_t flip, size_t *queue)
{
    size_t head = 0, tail = 0, next = 0;
    for (size_t at = 0; at < w->count; at++) {
        size_t first, last;
        bounds(w, at, &first, &last);
        for (; next <= last; next++) {
            uint8_t value = from[next * stride] ^ flip;
            while (tail > head && (from[queue[tail - 1] * stride] ^ flip) >= value)
                tail--;
            queue[tail++] = next;
        }
        while (queue[head] < first)
            head++;
        to[at * stride] = from[queue[head] * stride];
    }
}

static void extreme(uint8_t *pixels, uint8_t *scratch, const window *across,
                    const window *down, uint8_t flip, size_t *queue)
{
    for (size_t row = 0; row < down->count; row++)
        extreme_of_line(pixels + row * across->count, scratch + row * across->count, 1,
                        across, flip, queue);
    for (size_t col = 0; col < across->count; col++)
        extreme_of_line(scratch + col, pixels + col, across->count, down, flip, queue);
}

mnist_status mnist_background_find(const mnist_plane *p, bool even, uint8_t *background)
{
    size_t longer = common_larger(p->rows, p->cols);
    size_t shorter = common_smaller(p->rows, p->cols);
    /* A window of a third of the picture, in a row of digits a third of its height: no
     * stroke is as wide. */
    size_t radius =
        2 * longer < 3 * shorter ? longer / 6 : common_larger(shorter / 6, longer / 12);
    size_t least = even ? radius : radius * 2 / 7 + 1;
    window across = {p->cols, radius, least}, down = {p->rows, radius, least};
    uint8_t *scratch = common_alloc_bytes(p->rows * p->cols);
    size_t *queue = common_alloc(longer, sizeof(*queue));
    mnist_status status = MNIST_OK;
    if (scratch && queue) {
        filter(p, background);
        extreme(background, scratch, &across, &down, 0, queue);
        extreme(background, scratch, &across, &down, 255, queue);
    } else {
        status = mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu pixels",
                            p->rows * p->cols);
    }
    common_free(scratch);
    common_free(queue);
    return status;
}
