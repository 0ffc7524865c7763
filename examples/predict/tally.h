/**
 * @file
 * Answers compared with labels: accuracy, confusion matrix, wrongly read images.
 */
#ifndef EXAMPLES_PREDICT_TALLY_H
#define EXAMPLES_PREDICT_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/predict/output.h"

/** An image that is read wrongly. */
typedef struct tally_miss {
    size_t index, label, answer;
    double probability;
} tally_miss;

/** The tally of a file; zero at first. */
typedef struct tally {
    /** Rows and columns of the matrix: labels and answers. */
    size_t classes;
    size_t *matrix;
    size_t images, right;
    /** Images whose label is not among the classes of the model. */
    size_t foreign;
    /** Images without answer. */
    size_t unread;
    /** [miss_count]. */
    tally_miss *misses;
    size_t miss_count, miss_room;
} tally;

/** Prepares a tally of labels and answers below classes; false if memory is exhausted.
 */
bool tally_create(tally *t, size_t classes);

/** Frees the members. */
void tally_destroy(tally *t);

/** Counts an answer of a model with classes; false if memory is exhausted. */
bool tally_add(tally *t, const output_answer *answer, size_t classes);

/** Counts an image without answer. */
void tally_add_unread(tally *t);

/** Prints the wrongly read images, the matrix and the accuracy. */
void tally_print(const tally *t, const char *file);

/** Writes "9885 of 10000 right (98.85%)" and the number of images without answer. */
void tally_describe(const tally *t, char *text, size_t size);

#endif
