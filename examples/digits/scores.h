/**
 * @file
 * Pixels as a network reads them, and its scores as probabilities.
 */
#ifndef EXAMPLES_DIGITS_SCORES_H
#define EXAMPLES_DIGITS_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Equals ToTensor() and Normalize((0.1307,), (0.3081,)) of torchvision. */
void scores_normalise(const uint8_t *bytes, size_t size, float *values);

/** Writes the softmax of the logits of an image; false if one is not finite. */
bool scores_softmax(const float *logits, size_t classes, double *probabilities);

#endif
