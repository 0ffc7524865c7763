/**
 * @file
 * Whether to believe an answer: a network gives a digit for every picture, also for
 * letters, signs and digits that touch.
 */
#ifndef EXAMPLES_PREDICT_DOUBT_H
#define EXAMPLES_PREDICT_DOUBT_H

#include <mnist/mnist.h>

#include "examples/predict/model.h"

/** Below this probability an answer is unsure. */
#define DOUBT_PROBABILITY 0.8

/** The same for the mean over the image and four others, in which it is moved by 2
 *  pixels: a digit stays what it is, other shapes change. */
#define DOUBT_STEADINESS 0.7

/**
 * Measures the mean probability of the answer while the image moves.
 *
 * @param images [count, 28, 28], up to MODEL_BATCH
 * @param probabilities [count, classes] of the images
 * @param[out] steadiness [count]
 * @param[out] why [size] on failure, one line
 * @return false on failure
 */
bool doubt_measure(model *network, const uint8_t *images, size_t count,
                   const double *probabilities, double *steadiness, char *why,
                   size_t size);

/** Whether a drawing is wider than a digit: half as wide again as it is tall. Two
 *  digits that touch are, and one of 140 of MNIST's. */
bool doubt_is_wide(const uint8_t *image);

/** The sign that a drawing is: '-' if it is filled and at least twice as wide as tall,
 *  '+' if it has no ink in the corners; else '\0'. */
char doubt_sign(const uint8_t *image);

/** Whether a digit is at a side of its picture and not at the opposite one. A picture
 *  that was cut to the digit's size has it at both. */
bool doubt_is_cut(const mnist_box *box, size_t rows, size_t cols);

#endif
