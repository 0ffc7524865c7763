/*
 * Finds the ink of a picture, whatever its size, paper, light and noise.
 *
 * 1. The paper is the median of the border, or of all pixels if that grey is rare: then
 *    the border is a frame. Its side is the one from which the extremes of the picture
 *    lie farther away. Ink is light from here on.
 * 2. The picture is brought to a longer side between 160 and 480 pixels: larger ones by
 *    areas, smaller ones by linear interpolation. Thus all that follows takes the same
 *    time, and strokes have several pixels.
 * 3. The background is a morphological opening of a small copy, whose window is wider
 *    than a stroke: light that changes over the page, shadows and vignettes go into it,
 *    strokes do not.
 * 4. What is left is smoothed if its noise is not small. Ink is more than half as light
 *    as the median of all that is clearly lighter than paper. A picture whose ink does
 *    not stand out from its noise is blank.
 *
 * All arithmetic is in integers.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/ink.h"
#include "lib/mnist/status.h"

enum { GREYS = 256, SMALLEST = 160, LARGEST_SIDE = 480, COARSE = 64 };

/* Paper ------------------------------------------------------------------------------
 */

static size_t total_of(const size_t *histogram)
{
    size_t total = 0;
    for (size_t i = 0; i < GREYS; i++)
        total += histogram[i];
    return total;
}

/* The grey below which a part of the pixels lies, in thousandths. */
static unsigned quantile(const size_t *histogram, size_t thousandths)
{
    size_t wanted = total_of(histogram) / 1000 * thousandths +
                    total_of(histogram) % 1000 * thousandths / 1000;
    size_t below = 0;
    unsigned grey = 0;
    while (grey + 1 < GREYS && below + histogram[grey] <= wanted)
        below += histogram[grey++];
    return grey;
}

static unsigned median(const size_t *histogram)
{
    return quantile(histogram, 500);
}

void mnist_greys_add(mnist_greys *greys, const uint8_t *pixels, size_t rows,
                     size_t cols)
{
    for (size_t col = 0; col < cols; col++) {
        greys->border[pixels[col]]++;
        greys->border[pixels[(rows - 1) * cols + col]]++;
    }
    for (size_t row = 0; row < rows; row++) {
        greys->border[pixels[row * cols]]++;
        greys->border[pixels[row * cols + cols - 1]]++;
    }
    for (size_t i = 0; i < rows * cols; i++)
        greys->all[pixels[i]]++;
}

/* Whether less than a quarter of the pixels is nearer to the grey of the border than to
 * the middle grey, as in a frame around the whole picture. */
static bool is_rare(const size_t *histogram, unsigned border, unsigned middle)
{
    size_t near = 0;
    for (unsigned i = 0; i < GREYS; i++)
        if ((i > border ? i - border : border - i) <
            (i > middle ? i - middle : middle - i))
            near += histogram[i];
    return border != middle && near < total_of(histogram) / 4;
}

mnist_paper mnist_greys_paper(const mnist_greys *greys)
{
    /* Some 3 pixels of 1,000 are less than any drawing has. */
    unsigned low = quantile(greys->all, 3), high = quantile(greys->all, 997);
    unsigned paper = median(greys->border), middle = median(greys->all);
    if (is_rare(greys->all, paper, middle))
        paper = middle;
    unsigned below = paper > low ? paper - low : 0;
    unsigned above = high > paper ? high - paper : 0;
    if (below == above)
        return paper > 127 ? MNIST_PAPER_LIGHT : MNIST_PAPER_DARK;
    return below > above ? MNIST_PAPER_LIGHT : MNIST_PAPER_DARK;
}

static void count_all(size_t *histogram, const mnist_plane *p)
{
    memset(histogram, 0, GREYS * sizeof(*histogram));
    for (size_t i = 0; i < p->rows * p->cols; i++)
        histogram[p->pixels[i]]++;
}

/* Sizes ------------------------------------------------------------------------------
 */

static mnist_status create_plane(mnist_plane *p, size_t rows, size_t cols)
{
    *p = (mnist_plane){rows, cols, common_alloc(rows * cols, 1)};
    return p->pixels ? MNIST_OK
                     : mnist_fail(MNIST_OUT_OF_MEMORY,
                                  "image: no memory for %zu by %zu pixels", rows, cols);
}

static void destroy_plane(mnist_plane *p)
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
                    largest = value > largest ? value : largest;
                }
            size_t area = (bottom - row * factor) * (right - col * factor);
            uint8_t mean = (uint8_t)((sum + area / 2) / area);
            to->pixels[row * to->cols + col] =
                keep ? (uint8_t)((mean + largest) / 2) : mean;
        }
}

/* Where pixel index of a picture that is factor times as large lies: between source
 * pixels at and at + 1, with a weight of the second in parts of 2 factor. */
static void position(size_t index, size_t factor, size_t size, size_t *at,
                     size_t *weight)
{
    size_t place = 2 * index + 1 > factor ? 2 * index + 1 - factor : 0;
    *at = place / (2 * factor);
    *weight = place % (2 * factor);
    if (*at + 1 >= size) {
        *at = size - 1;
        *weight = 0;
    }
}

/* Linear interpolation of a picture to one that is factor times as large, or to the
 * part of it that to has. */
static void enlarge(const uint8_t *pixels, size_t rows, size_t cols, size_t factor,
                    mnist_plane *to)
{
    for (size_t row = 0; row < to->rows; row++) {
        size_t y, down;
        position(row, factor, rows, &y, &down);
        const uint8_t *upper = pixels + y * cols;
        const uint8_t *lower = y + 1 < rows ? upper + cols : upper;
        for (size_t col = 0; col < to->cols; col++) {
            size_t x, across, all = 2 * factor;
            position(col, factor, cols, &x, &across);
            size_t next = x + 1 < cols ? x + 1 : x;
            size_t top = upper[x] * (all - across) + upper[next] * across;
            size_t bottom = lower[x] * (all - across) + lower[next] * across;
            to->pixels[row * to->cols + col] =
                (uint8_t)((top * (all - down) + bottom * down + all * all / 2) /
                          (all * all));
        }
    }
}

/* The picture at the size at which its ink is found, light on dark. */
static mnist_status bring_to_size(const uint8_t *pixels, size_t rows, size_t cols,
                                  mnist_paper paper, mnist_plane *to)
{
    uint8_t flip = paper == MNIST_PAPER_LIGHT ? 255 : 0;
    size_t longer = rows > cols ? rows : cols;
    size_t factor = longer > LARGEST_SIDE ? (longer + LARGEST_SIDE - 1) / LARGEST_SIDE
                                          : (SMALLEST + longer - 1) / longer;
    bool shrinks = longer > LARGEST_SIDE;
    mnist_status status = shrinks ? create_plane(to, (rows + factor - 1) / factor,
                                                 (cols + factor - 1) / factor)
                                  : create_plane(to, rows * factor, cols * factor);
    if (status)
        return status;
    if (shrinks) {
        shrink(pixels, rows, cols, factor, true, flip, to);
        return MNIST_OK;
    }
    enlarge(pixels, rows, cols, factor, to);
    for (size_t i = 0; i < to->rows * to->cols; i++)
        to->pixels[i] ^= flip;
    return MNIST_OK;
}

/* Background -------------------------------------------------------------------------
 */

/*
 * The smallest, or the largest, of the pixels up to radius before and after each of
 * count pixels at a distance of stride. Near an end the window is nearly as short on
 * both sides, so that light that rises towards the end is background there, too.
 */
static void extreme_of_line(const uint8_t *from, uint8_t *to, size_t count,
                            size_t stride, size_t radius, bool largest)
{
    enum { LEAST_REACH = 3 };
    for (size_t i = 0; i < count; i++) {
        size_t end = i < count - 1 - i ? i : count - 1 - i;
        size_t reach = end > radius ? radius : end < LEAST_REACH ? LEAST_REACH : end;
        size_t first = i > reach ? i - reach : 0;
        size_t last = i + reach < count ? i + reach : count - 1;
        uint8_t found = from[first * stride];
        for (size_t k = first + 1; k <= last; k++) {
            uint8_t value = from[k * stride];
            found = (largest ? value > found : value < found) ? value : found;
        }
        to[i * stride] = found;
    }
}

static void extreme(mnist_plane *p, uint8_t *scratch, size_t radius, bool largest)
{
    for (size_t row = 0; row < p->rows; row++)
        extreme_of_line(p->pixels + row * p->cols, scratch + row * p->cols, p->cols, 1,
                        radius, largest);
    for (size_t col = 0; col < p->cols; col++)
        extreme_of_line(scratch + col, p->pixels + col, p->rows, p->cols, radius,
                        largest);
}

/* Means over 3 by 3 pixels, fewer at the border. */
static void smooth(mnist_plane *p, uint8_t *scratch)
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

/* The deviation of the paper's noise: a sixth of the pixels is darker by more. */
static unsigned noise_of(const size_t *histogram)
{
    unsigned middle = median(histogram), low = quantile(histogram, 160);
    return middle - low;
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

/* Subtracts the background. scratch has as many bytes as the picture. */
static mnist_status remove_background(mnist_plane *p, uint8_t *scratch, unsigned *noise)
{
    size_t longer = p->rows > p->cols ? p->rows : p->cols;
    size_t factor = (longer + COARSE - 1) / COARSE;
    mnist_plane coarse;
    mnist_status status = create_plane(&coarse, (p->rows + factor - 1) / factor,
                                       (p->cols + factor - 1) / factor);
    if (status)
        return status;
    shrink(p->pixels, p->rows, p->cols, factor, false, 0, &coarse);
    /* A window of a third of the picture: no stroke is as wide. */
    extreme(&coarse, scratch, COARSE / 6, false);
    extreme(&coarse, scratch, COARSE / 6, true);
    smooth(&coarse, scratch);
    mnist_plane background = {p->rows, p->cols, scratch};
    enlarge(coarse.pixels, coarse.rows, coarse.cols, factor, &background);
    *noise = subtract(p, scratch);
    destroy_plane(&coarse);
    return MNIST_OK;
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

/* Writes 255 for ink and 0 for paper; false if there is none. first_noise is the noise
 * of the picture before its background was removed. */
static bool divide(mnist_plane *p, uint8_t *scratch, unsigned first_noise)
{
    /* The least contrast of ink, and its least ratio to the noise before and after
     * smoothing. */
    enum { LEAST = 10, TIMES_NOISE = 4, TIMES_REST = 5 };
    size_t histogram[GREYS];
    count_all(histogram, p);
    unsigned left = first_noise;
    for (int i = 0; i < 3 && left > 2; i++, left = noise_of(histogram)) {
        smooth(p, scratch);
        count_all(histogram, p);
    }
    unsigned paper = median(histogram), noise = noise_of(histogram);
    unsigned highest = quantile(histogram, 998);
    if (highest < paper + LEAST)
        highest = largest_of(histogram);
    unsigned start = (paper + highest + 1) / 2;
    unsigned ink = median_above(histogram, start);
    if (ink < paper + LEAST || ink - paper < TIMES_REST * noise ||
        ink - paper < TIMES_NOISE * first_noise)
        return false;
    unsigned limit = paper + (ink - paper + 1) / 2;
    for (size_t i = 0; i < p->rows * p->cols; i++)
        p->pixels[i] = p->pixels[i] >= limit ? 255 : 0;
    return true;
}

static mnist_status find(mnist_plane *p, uint8_t *scratch)
{
    unsigned noise = 0;
    mnist_status status = remove_background(p, scratch, &noise);
    if (!status && !divide(p, scratch, noise))
        return mnist_fail(MNIST_BLANK,
                          "image: blank: nothing stands out from the paper");
    return status;
}

mnist_status mnist_find_ink(const uint8_t *pixels, size_t rows, size_t cols,
                            mnist_paper paper, mnist_plane *ink)
{
    mnist_plane scratch;
    *ink = (mnist_plane){0};
    if (paper == MNIST_PAPER_AUTO) {
        mnist_greys greys = {0};
        mnist_greys_add(&greys, pixels, rows, cols);
        paper = mnist_greys_paper(&greys);
    }
    mnist_status status = bring_to_size(pixels, rows, cols, paper, ink);
    if (status)
        return status;
    status = create_plane(&scratch, ink->rows, ink->cols);
    if (!status)
        status = find(ink, scratch.pixels);
    destroy_plane(&scratch);
    if (status)
        destroy_plane(ink);
    return status;
}
