/**
 * @file
 * --tta: the mean of the probabilities over several places of an image.
 */
#ifndef EXAMPLES_PREDICT_PLACES_H
#define EXAMPLES_PREDICT_PLACES_H

#include "examples/predict/model.h"

/** Computes probabilities as model_predict() does, as the mean over the first places.
 */
bool places_predict(model *network, size_t places, const uint8_t *images, size_t count,
                    double *probabilities, char *why, size_t size);

#endif
