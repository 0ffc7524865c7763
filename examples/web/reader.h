/**
 * @file
 * Reads one digit as the page does: a picture, brought to MNIST's form, goes through
 * the network row by row.
 */
#ifndef EXAMPLES_WEB_READER_H
#define EXAMPLES_WEB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

enum {
    /** Rows and columns of an image. */
    READER_SIDE = 28,
    READER_PIXELS = READER_SIDE * READER_SIDE,
    READER_CLASSES = 10
};

/** What became of a picture. */
typedef enum reader_result {
    READER_ANSWER = 0,
    /** Nothing stands out from the paper. */
    READER_BLANK = 1,
    READER_SEVERAL_DIGITS = 2,
    /** The member why has the reason. */
    READER_FAILED = 3
} reader_result;

/** A network and its last picture; zero at first. */
typedef struct reader {
    lstm_layer *lstm;
    lstm_linear *fc;
    /** One picture, the outputs of all rows, and the same memory as [28, outputs]. */
    lstm_tensor *x, *out, *rows;
    /** [28, 10] the scores after each row. */
    lstm_tensor *logits;
    uint8_t image[READER_PIXELS];
    /** After each row; each row sums to 1. */
    double probabilities[READER_SIDE][READER_CLASSES];
    /** One line. */
    char why[1500];
} reader;

/**
 * Loads a model from a file in memory, which may be freed afterwards.
 *
 * @return false on failure, with the reason in why; also if the network does not read
 *         rows of 28 pixels from the first to the last, or has another number of
 *         classes than 10. reader_close() is still needed.
 */
bool reader_open(reader *r, const void *bytes, size_t size);

/** Frees the members. */
void reader_close(reader *r);

/** Reads a picture of one digit: writes image, logits and probabilities. */
reader_result reader_read(reader *r, const uint8_t *pixels, size_t rows, size_t cols);

#endif
