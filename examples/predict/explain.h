/**
 * @file
 * How a network reads one image: the answer after each row, and what its units do.
 */
#ifndef EXAMPLES_PREDICT_EXPLAIN_H
#define EXAMPLES_PREDICT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/predict/model.h"
#include "examples/predict/options.h"

/** Begin of the title of drawings. */
#define EXPLAIN_TITLE "How the network reads "

enum {
    /** Units of a layer in a drawing, and what is shown of each: the gates i, f, g, o,
     *  the cell state c and the hidden state h, in this order. */
    EXPLAIN_UNITS = 8,
    EXPLAIN_GATES = 4,
    EXPLAIN_CELL = 4,
    EXPLAIN_STATE = 5,
    EXPLAIN_VALUES = 6,
    /** Most classes, and most layers times directions. */
    EXPLAIN_CLASSES = 1000,
    EXPLAIN_PANELS = 32
};

/** The most active units of one direction of a layer: those whose hidden state changes
 *  most from row to row. With a projection it is the state before that. */
typedef struct explain_panel {
    size_t layer;
    bool reverse;
    size_t count, units[EXPLAIN_UNITS];
    double values[EXPLAIN_VALUES][EXPLAIN_UNITS][MODEL_SIDE];
} explain_panel;

/** An image and how it is read; zero at first. */
typedef struct explanation {
    /** Names of the files, whether the answer is unsure, and why, or NULL: written by
     *  the caller. */
    const char *file, *model;
    bool unsure;
    const char *doubt;
    const uint8_t *pixels;
    size_t classes, hidden;
    bool bidirectional, projected;
    /** [28, classes] after each row; the last ones are the answer. */
    double *probabilities;
    size_t panel_count;
    explain_panel *panels;
} explanation;

/** Whether --explain can draw this network to its file: no file is replaced but such a
 *  drawing, or any with --force, and never one that is read. False after an error
 *  message. */
bool explain_check(const predict_options *options, const model *network);

/**
 * Runs the network on an image.
 *
 * @param pixels [28, 28], which stay valid
 * @param answer [classes] its probabilities, which stand for those after the last row
 * @param[out] why [size] on failure, one line
 * @return false on failure; explain_destroy() is still needed
 */
bool explain_image(explanation *e, model *network, const uint8_t *pixels,
                   const double *answer, char *why, size_t size);

/** Frees the members. */
void explain_destroy(explanation *e);

/** The class with the largest probability after a row. */
size_t explain_best(const explanation *e, size_t row);

#endif
