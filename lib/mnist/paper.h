/**
 * @file
 * Histograms of greys, and the paper that they show.
 */
#ifndef MNIST_PAPER_H
#define MNIST_PAPER_H

#include "lib/mnist/plane.h"

enum { MNIST_GREYS = 256 };

/** Histograms of pictures: of their borders, and of all their pixels. */
typedef struct mnist_greys {
    size_t border[MNIST_GREYS], all[MNIST_GREYS];
} mnist_greys;

/** The grey below which a part of the pixels lies, in thousandths. */
unsigned mnist_greys_quantile(const size_t *histogram, size_t thousandths);

/** Adds a picture. */
void mnist_greys_add(mnist_greys *greys, const uint8_t *pixels, size_t rows,
                     size_t cols);

/** The greys of one picture. */
mnist_greys mnist_greys_of(const uint8_t *pixels, size_t rows, size_t cols);

/** The paper of all pictures together. */
mnist_paper mnist_greys_paper(const mnist_greys *greys);

/** Whether two thirds of the border have nearly the same grey: all but what is drawn
 *  there. */
bool mnist_greys_have_an_even_border(const mnist_greys *greys);

/** Whether the border does not tell the paper: its greys differ by a quarter of what
 *  all greys do, with greys on both sides of it, or it is far from the grey of most
 *  pixels. */
bool mnist_greys_are_uneven(const mnist_greys *greys);

#endif
