/**
 * @file
 * Output of mnist-predict.
 */
#ifndef EXAMPLES_PREDICT_PRINT_H
#define EXAMPLES_PREDICT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** The prediction for one image. */
typedef struct prediction {
    const char *file;
    /** Position in the file, if indexed. */
    size_t index;
    bool indexed;
    const double *probabilities;
    size_t classes;
} prediction;

/** Prints a line: the file, the most likely class, and the probability of each class.
 */
void print_text(const prediction *p);

/** Prints a JSON object without a line end. */
void print_json(const prediction *p);

/** Prints an image, [28, 28], as 28 lines with two characters per pixel. */
void print_image(FILE *to, const uint8_t *image);

#endif
