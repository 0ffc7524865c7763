/**
 * @file
 * How a network reads an image, as a picture.
 */
#ifndef EXAMPLES_PREDICT_DRAWING_H
#define EXAMPLES_PREDICT_DRAWING_H

#include <stdbool.h>

#include "examples/predict/explain.h"

/**
 * Draws an SVG: the image, the probabilities after each of its rows, and gates and
 * states of the most active units. Time runs down in all parts. Programs find the
 * numbers in the attributes data-values, one for each row of the image.
 *
 * @return false after an error message
 */
bool drawing_write(const explanation *e, const char *path);

#endif
