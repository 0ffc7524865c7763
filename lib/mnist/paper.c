/*
 * Finds the side of the paper: light or dark.
 *
 * The paper is the median of the border, or of all pixels if that grey is rare: then
 * the border is a frame. Its side is the one from which the extremes of the picture lie
 * farther away.
 */
#include "lib/mnist/paper.h"

#include <stdlib.h>

static size_t total_of(const size_t *histogram)
{
    size_t total = 0;
    for (size_t i = 0; i < MNIST_GREYS; i++)
        total += histogram[i];
    return total;
}

/* The grey below which a part of the pixels lies, in thousandths. */
unsigned mnist_greys_quantile(const size_t *histogram, size_t thousandths)
{
    size_t wanted = total_of(histogram) / 1000 * thousandths +
                    total_of(histogram) % 1000 * thousandths / 1000;
    size_t below = 0;
    unsigned grey = 0;
    while (grey + 1 < MNIST_GREYS && below + histogram[grey] <= wanted)
        below += histogram[grey++];
    return grey;
}

static unsigned difference(unsigned a, unsigned b)
{
    return (unsigned)abs((int)a - (int)b);
}

/* How far a is above b, if it is. */
static unsigned excess(unsigned a, unsigned b)
{
    return a > b ? a - b : 0;
}

static unsigned median(const size_t *histogram)
{
    return mnist_greys_quantile(histogram, 500);
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

mnist_greys mnist_greys_of(const uint8_t *pixels, size_t rows, size_t cols)
{
    mnist_greys greys = {0};
    mnist_greys_add(&greys, pixels, rows, cols);
    return greys;
}

/* Whether less than a quarter of the pixels is nearer to the grey of the border than to
 * the middle grey, as in a frame around the whole picture. */
static bool is_rare(const size_t *histogram, unsigned border, unsigned middle)
{
    size_t near = 0;
    for (unsigned i = 0; i < MNIST_GREYS; i++)
        if (difference(i, border) < difference(i, middle))
            near += histogram[i];
    return near < total_of(histogram) / 4;
}

mnist_paper mnist_greys_paper(const mnist_greys *greys)
{
    /* Some 3 pixels of 1,000 are less than any drawing has. */
    unsigned low = mnist_greys_quantile(greys->all, 3),
             high = mnist_greys_quantile(greys->all, 997);
    unsigned paper = median(greys->border), middle = median(greys->all);
    if (is_rare(greys->all, paper, middle))
        paper = middle;
    unsigned below = excess(paper, low), above = excess(high, paper);
    if (below == above)
        return paper > 127 ? MNIST_PAPER_LIGHT : MNIST_PAPER_DARK;
    return below > above ? MNIST_PAPER_LIGHT : MNIST_PAPER_DARK;
}

bool mnist_greys_have_an_even_border(const mnist_greys *greys)
{
    unsigned low = mnist_greys_quantile(greys->all, 3);
    unsigned high = mnist_greys_quantile(greys->all, 997);
    unsigned paper = median(greys->border);
    size_t near = 0;
    for (unsigned i = 0; i < MNIST_GREYS; i++)
        if (8 * difference(i, paper) <= high - low)
            near += greys->border[i];
    return 3 * near > 2 * total_of(greys->border);
}

bool mnist_greys_are_uneven(const mnist_greys *greys)
{
    unsigned low = mnist_greys_quantile(greys->all, 3);
    unsigned high = mnist_greys_quantile(greys->all, 997);
    unsigned dark = mnist_greys_quantile(greys->border, 200);
    unsigned light = mnist_greys_quantile(greys->border, 800);
    unsigned border = median(greys->border), middle = median(greys->all);
    /* Light that rises over the page moves the border less than ink does. */
    unsigned below = excess(border, low), above = excess(high, border);
    bool two_sided = 4 * below > above && 4 * above > below;
    return (two_sided && 4 * (light - dark) > high - low) ||
           8 * difference(border, middle) > high - low;
}
