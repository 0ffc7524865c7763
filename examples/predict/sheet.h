/**
 * @file
 * The images of a file: a picture, or an IDX file of images.
 */
#ifndef EXAMPLES_PREDICT_SHEET_H
#define EXAMPLES_PREDICT_SHEET_H

#include <mnist/mnist.h>

#include "examples/picture/picture.h"
#include "examples/predict/options.h"

/** A file of images; zero at first. */
typedef struct sheet {
    const char *path;
    /** Images of an IDX file; NULL for a picture. */
    mnist_dataset *dataset;
    picture page;
    mnist_fit_config config;
    /** Rows and columns of IDX images are swapped, with this memory. */
    uint8_t *transposed;
    bool has_labels;
} sheet;

/**
 * Opens a file; the content decides what it is. Labels of IDX images come from
 * options->labels, or from the file beside it that has the usual name.
 *
 * @param path INPUT_STDIN for standard input
 * @param[out] why [size] on failure, one line that names the file
 * @return false on failure; sheet_close() is still needed
 */
bool sheet_open(sheet *s, const char *path, const predict_options *options, char *why,
                size_t size);

/** Frees the members. */
void sheet_close(sheet *s);

/** Number of images; 1 for a picture. */
size_t sheet_count(const sheet *s);

/** Label of an image; -1 without. */
int sheet_label(const sheet *s, size_t index);

/**
 * Brings an image with one digit to MNIST's form.
 *
 * @param[out] out [28, 28]
 * @param[out] cut whether the digit of a picture may be cut off
 * @param[out] why [size] on failure, one line without the name of the file
 */
bool sheet_read(sheet *s, size_t index, uint8_t *out, bool *cut, char *why,
                size_t size);

/**
 * Brings all digits of a picture to MNIST's form, from left to right.
 *
 * @param[out] out [capacity, 28, 28]
 * @param[out] boxes [capacity] where they are
 * @param[out] why [size] on failure, one line without the name of the file
 */
bool sheet_read_digits(sheet *s, size_t capacity, uint8_t *out, mnist_box *boxes,
                       size_t *count, char *why, size_t size);

/** Whether a digit of a picture may be cut off. */
bool sheet_cuts(const sheet *s, const mnist_box *box);

#endif
