/**
 * @file
 * --tta: evaluation in several places of an image, with the mean of the probabilities.
 */
#ifndef EXAMPLES_TRAIN_TTA_H
#define EXAMPLES_TRAIN_TTA_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/digits/classifier.h"

typedef struct train_tta {
    /** 1: each image as it is. */
    size_t places;
    /** [images, ROWS, COLS] a batch in its own place, and [images, C] the sums of its
     *  probabilities, followed by [C] those of an image; NULL for one place. */
    float *images;
    double *sums;
} train_tta;

/** Allocates memory for batches of up to images; false after an error message, with
 *  nothing to free. */
bool tta_create(train_tta *tta, size_t places, size_t images,
                const classifier_config *config);

/** Frees the memory; accepts one that is all zeros. */
void tta_destroy(train_tta *tta);

/** Computes the logits of the images in x; with several places the logarithms of the
 *  mean probabilities, and x is in another place afterwards. */
bool tta_forward(train_tta *tta, classifier *network, classifier_batch *batch);

#endif
