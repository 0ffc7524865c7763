/**
 * @file
 * Models of mnist-train that read an image in another order than row by row.
 */
#ifndef EXAMPLES_PREDICT_ORDERED_H
#define EXAMPLES_PREDICT_ORDERED_H

#include "examples/predict/find.h"
#include "examples/predict/model.h"

/**
 * Loads a model whose order is network->order.
 *
 * @return false with the reason in the finder; model_close() is still needed
 */
bool ordered_open(model *network, const finder *in);

/** Computes probabilities as model_predict() does. */
bool ordered_predict(model *network, const uint8_t *images, size_t count,
                     double *probabilities, char *why, size_t size);

#endif
