/**
 * @file
 * How a set was read: a table of labels and answers, and the images read worst.
 */
#ifndef EXAMPLES_REPORT_ANSWERS_H
#define EXAMPLES_REPORT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

/** An image: its number in the set, its label, the class that was read, and the
 *  probabilities of both. */
typedef struct answer {
    size_t index, label, read;
    double label_probability, probability;
} answer;

enum { ANSWERS_WORST = 40 };

typedef struct answers {
    size_t classes, count, correct;
    /** [classes, classes] numbers of images: a row for each label. */
    size_t *table;
    /** Images whose labels have the lowest probabilities, the lowest first. */
    answer worst[ANSWERS_WORST];
    size_t worst_count;
} answers;

/** Creates a table without images; false without memory. */
bool answers_create(answers *a, size_t classes);

/** Removes all images. */
void answers_clear(answers *a);

/** Adds an image with its [classes] logits. */
void answers_add(answers *a, size_t index, size_t label, const float *logits);

/** Frees the table. */
void answers_free(answers *a);

/** Number of images of a label that were read as a class. */
size_t answers_at(const answers *a, size_t label, size_t read);

/** Number of images of a label, and of those read as a class. */
size_t answers_labels(const answers *a, size_t label);
size_t answers_reads(const answers *a, size_t read);

/** Bounds between which the accuracy on all images like these is with a probability of
 *  95%: Wilson's interval. */
void answers_interval(const answers *a, double *low, double *high);

#endif
