/**
 * @file
 * What mnist-predict prints on standard output: text, JSON or CSV.
 */
#ifndef EXAMPLES_PREDICT_OUTPUT_H
#define EXAMPLES_PREDICT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <mnist/mnist.h>

typedef enum output_kind { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV } output_kind;

/** The output of a program; kind and classes are set by the caller, the rest is zero at
 *  first. */
typedef struct output {
    output_kind kind;
    size_t classes;
    /** Number of JSON objects printed. */
    size_t objects;
} output;

/** Which image. */
typedef struct output_image {
    const char *file;
    /** Position in the file, if indexed. */
    size_t index;
    bool indexed;
    /** -1 without. */
    int label;
} output_image;

/** An answer for one digit. */
typedef struct output_answer {
    output_image image;
    /** [classes]. */
    const double *probabilities;
    size_t best, second;
    /** Whether not to believe the answer, and what is odd beside its probability; NULL
     *  for nothing. */
    bool unsure;
    const char *doubt;
    /** The sign that it is, which a number has in its place; '\0' for a digit. */
    char sign;
    /** Where it is in the picture; NULL for an image with one digit. */
    const mnist_box *box;
} output_answer;

/** Finds the best and second class, and whether the answer is unsure; doubt is a reason
 *  for that, or NULL. */
output_answer output_judge(output_image image, const double *probabilities,
                           size_t classes, const char *doubt);

/** Prints what comes before all answers. */
void output_begin(output *o);

/** Prints what comes after all answers. */
void output_end(const output *o);

/** Prints an answer. */
void output_print(output *o, const output_answer *answer);

/** Prints the answers for the digits of one picture, and all as one number. */
void output_print_digits(output *o, const output_answer *answers, size_t count);

/** Prints that an image, or a whole file, could not be read; nothing in text, where
 *  standard error has the message. */
void output_print_error(output *o, const output_image *image, const char *why);

/** Draws an image, [28, 28], as 28 lines with two characters per pixel. */
void output_draw(FILE *to, const uint8_t *pixels);

#endif
