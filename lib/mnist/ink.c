/*
 * Finds the ink of a picture, whatever its size, paper, light and noise.
 *
 * 1. Ink is light from here on, also of light paper.
 * 2. The background is removed. Shadows and vignettes go with it, strokes do not.
 * 3. What is left is smoothed if its noise is not small. Ink in a shadow has less
 *    contrast, in proportion to the light there; its contrast is multiplied by what the
 *    light lacks.
 * 4. Ink is more than half as light as the median of all that is clearly lighter than
 *    paper. A picture whose ink does not stand out from its noise is blank.
 * 5. The picture gets darker across the edge of ink, by half of its contrast at least.
 *    Where only the background changes there is light, not ink: those pixels are
 *    marked.
 *
 * All arithmetic is in integers.
 */
#include "lib/mnist/ink.h"

#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/background.h"
#include "lib/mnist/paper.h"
#include "lib/mnist/status.h"

enum { GREYS = MNIST_GREYS };

/* Light ------------------------------------------------------------------------------
 */

/* The light that falls on each pixel of the paper, from the background. Black paper
 * shows little of it. */
static void find_light(uint8_t *background, size_t count, mnist_paper paper)
{
    for (size_t i = 0; i < count; i++) {
        unsigned light =
            paper == MNIST_PAPER_LIGHT ? 255u - background[i] : background[i] + 16u;
        background[i] = (uint8_t)common_larger(common_smaller(light, 255), 1);
    }
}

/* The deviation of the paper's noise: a sixth of the pixels is darker by more. */
static unsigned noise_of(const size_t *histogram)
{
    return mnist_greys_quantile(histogram, 500) - mnist_greys_quantile(histogram, 160);
}

static void count_all(size_t *histogram, const mnist_plane *p)
{
    memset(histogram, 0, GREYS * sizeof(*histogram));
    for (size_t i = 0; i < p->rows * p->cols; i++)
        histogram[p->pixels[i]]++;
}

/* Subtracts the background; values below it become 0. The noise is that of the
 * differences before this, which would hide half of it. */
static unsigned subtract(mnist_plane *p, const uint8_t *background)
{
    size_t histogram[GREYS] = {0};
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        int above = p->pixels[i] - background[i];
        int shifted = above + GREYS / 2;
        histogram[shifted < 0 ? 0 : shifted < GREYS ? shifted : GREYS - 1]++;
        p->pixels[i] = (uint8_t)(above > 0 ? above : 0);
    }
    return noise_of(histogram);
}

/* Whether the light differs by a quarter over the picture, as with a shadow; writes the
 * brightest light. */
static bool is_shaded(const uint8_t *light, size_t count, unsigned *brightest)
{
    size_t histogram[GREYS] = {0};
    for (size_t i = 0; i < count; i++)
        histogram[light[i]]++;
    *brightest = mnist_greys_quantile(histogram, 900);
    return 4 * mnist_greys_quantile(histogram, 250) <
           3 * mnist_greys_quantile(histogram, 750);
}

/* Brings the contrast of each pixel to what it would be in the brightest light of the
 * picture, up to 16 times. What is less than floor becomes 0: it may be noise. */
static void even_out(mnist_plane *p, const uint8_t *light, unsigned brightest,
                     unsigned paper, unsigned floor)
{
    enum { MOST = 16 };
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        unsigned dim = common_smaller(light[i], brightest);
        dim = dim * MOST < brightest ? brightest / MOST : dim;
        unsigned even =
            p->pixels[i] < paper + floor ? 0 : (p->pixels[i] - paper) * brightest / dim;
        p->pixels[i] = (uint8_t)(even < GREYS ? even : GREYS - 1);
    }
}

/* Ink --------------------------------------------------------------------------------
 */

/* Number of pixels at grey or above. */
static size_t count_above(const size_t *histogram, unsigned grey)
{
    size_t count = 0;
    for (unsigned i = grey; i < GREYS; i++)
        count += histogram[i];
    return count;
}

static unsigned largest_of(const size_t *histogram)
{
    unsigned grey = GREYS - 1;
    while (grey > 0 && histogram[grey] == 0)
        grey--;
    return grey;
}

/* The median of the greys from grey on. */
static unsigned median_above(const size_t *histogram, unsigned grey)
{
    size_t half = count_above(histogram, grey) / 2, below = 0;
    while (grey + 1 < GREYS && below + histogram[grey] <= half)
        below += histogram[grey++];
    return grey;
}

/* Writes 255 for ink and 0 for paper; false if there is none. first is the noise of the
 * picture before it was smoothed. */
static bool divide(mnist_plane *p, unsigned first, unsigned noise)
{
    /* The least contrast of ink, and its least ratio to the noise before and after
     * smoothing. */
    enum { LEAST = 10, TIMES_NOISE = 4, TIMES_REST = 5 };
    size_t histogram[GREYS];
    count_all(histogram, p);
    unsigned highest = mnist_greys_quantile(histogram, 998);
    if (highest < LEAST)
        highest = largest_of(histogram);
    unsigned ink = median_above(histogram, (highest + 1) / 2);
    if (ink < LEAST || ink < TIMES_REST * noise || ink < TIMES_NOISE * first)
        return false;
    for (size_t i = 0; i < p->rows * p->cols; i++)
        p->pixels[i] = p->pixels[i] >= (ink + 1) / 2 ? 255 : 0;
    return true;
}

/* Edges ------------------------------------------------------------------------------
 */

/* Whether the picture falls to a grey within reach steps from a pixel. Nothing is known
 * beyond the border. */
static bool falls(const mnist_plane *grey, size_t row, size_t col, int down, int right,
                  size_t reach, uint8_t to)
{
    for (size_t k = 0; k < reach; k++) {
        row += (size_t)down;
        col += (size_t)right;
        if (row >= grey->rows || col >= grey->cols)
            return true;
        if (grey->pixels[row * grey->cols + col] <= to)
            return true;
    }
    return false;
}

/* Marks the outermost pixels of ink from which the picture does not fall to the middle
 * between their grey and the background. A pixel of the picture is factor wide. */
static void mark_edges(mnist_plane *ink, const mnist_plane *grey, const uint8_t *middle,
                       size_t factor)
{
    static const int sides[][2] = {{0, 1}, {0, -1}, {1, 0}, {-1, 0}};
    size_t longer = common_larger(ink->rows, ink->cols);
    size_t reach = common_larger(longer / 40, 2 * factor);
    for (size_t row = 0; row < ink->rows; row++)
        for (size_t col = 0; col < ink->cols; col++) {
            uint8_t *at = &ink->pixels[row * ink->cols + col];
            bool outer = false, edge = false;
            for (size_t i = 0; *at && i < 4; i++) {
                size_t y = row + (size_t)sides[i][0], x = col + (size_t)sides[i][1];
                if (y >= ink->rows || x >= ink->cols || ink->pixels[y * ink->cols + x])
                    continue;
                outer = true;
                edge = edge || falls(grey, row, col, sides[i][0], sides[i][1], reach,
                                     middle[row * ink->cols + col]);
            }
            if (outer && !edge)
                *at = MNIST_INK_SOFT;
        }
}

/* The least contrast that is not noise. */
static unsigned floor_of(unsigned first, unsigned noise)
{
    enum { LEAST = 5, TWICE_TIMES_NOISE = 5, TIMES_REST = 4 };
    unsigned rest = noise * TIMES_REST, found = first * TWICE_TIMES_NOISE / 2;
    found = common_larger(found, rest);
    return common_larger(found, LEAST);
}

/* Copies the greys of a picture without their noise. */
static void keep_greys(const mnist_plane *p, mnist_plane *grey, uint8_t *scratch)
{
    memcpy(grey->pixels, p->pixels, p->rows * p->cols);
    mnist_plane_smooth(grey, scratch);
}

/* The middles between the greys and the background, which they replace. */
static void find_middles(uint8_t *background, const mnist_plane *grey)
{
    for (size_t i = 0; i < grey->rows * grey->cols; i++)
        background[i] = (uint8_t)((grey->pixels[i] + background[i]) / 2);
}

/* light, scratch, middle and grey have as many bytes as the picture. */
static mnist_status find(mnist_plane *p, mnist_paper paper, uint8_t *light,
                         uint8_t *scratch, uint8_t *middle, mnist_plane *grey,
                         size_t factor, bool *shaded)
{
    size_t histogram[GREYS];
    unsigned brightest;
    const mnist_greys greys = mnist_greys_of(p->pixels, p->rows, p->cols);
    mnist_status status =
        mnist_background_find(p, mnist_greys_have_an_even_border(&greys), light);
    if (status)
        return status;
    keep_greys(p, grey, scratch);
    memcpy(middle, light, p->rows * p->cols);
    find_middles(middle, grey);
    unsigned first = subtract(p, light), noise = first;
    find_light(light, p->rows * p->cols, paper);
    for (int i = 0; i < 3 && noise > 2; i++) {
        mnist_plane_smooth(p, scratch);
        count_all(histogram, p);
        noise = noise_of(histogram);
    }
    count_all(histogram, p);
    noise = noise_of(histogram);
    *shaded = is_shaded(light, p->rows * p->cols, &brightest);
    even_out(p, light, brightest, mnist_greys_quantile(histogram, 500),
             floor_of(first, noise));
    if (!divide(p, first, noise))
        return mnist_fail(MNIST_BLANK,
                          "image: blank: nothing stands out from the paper");
    mark_edges(p, grey, middle, factor);
    return MNIST_OK;
}

mnist_status mnist_find_ink(const uint8_t *pixels, size_t rows, size_t cols,
                            mnist_paper paper, mnist_plane *ink, bool *shaded)
{
    mnist_plane light = {0}, scratch = {0}, middle = {0}, grey = {0};
    mnist_status status = mnist_plane_resize(pixels, rows, cols, paper, true, ink);
    if (!status)
        status = mnist_plane_create(&light, ink->rows, ink->cols);
    if (!status)
        status = mnist_plane_create(&scratch, ink->rows, ink->cols);
    if (!status)
        status = mnist_plane_create(&middle, ink->rows, ink->cols);
    if (!status)
        status = mnist_plane_create(&grey, ink->rows, ink->cols);
    if (!status)
        status = find(ink, paper, light.pixels, scratch.pixels, middle.pixels, &grey,
                      ink->rows / rows, shaded);
    mnist_plane_destroy(&light);
    mnist_plane_destroy(&scratch);
    mnist_plane_destroy(&middle);
    mnist_plane_destroy(&grey);
    if (status)
        mnist_plane_destroy(ink);
    return status;
}
