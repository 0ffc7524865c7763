/**
 * @file
 * What mnist-predict says about an image.
 */
#ifndef EXAMPLES_PREDICT_PRINT_H
#define EXAMPLES_PREDICT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** An answer about one image. */
typedef struct answer {
    const char *file;
    /** Position in the file, when it has an index. */
    size_t index;
    bool indexed;
    const double *probabilities;
    size_t classes;
} answer;

/** A line: the file, the best class, and the probability of each. */
void print_text(const answer *given);

/** An object of JSON, without a line end. */
void print_json(const answer *given);

/** An image [28, 28] as 28 lines of characters, two for each pixel. */
void print_image(FILE *to, const uint8_t *image);

#endif
