/**
 * @file
 * Prints the weights of a layer of int8 as arrays.
 */
#ifndef EXAMPLES_EMBED_BYTE_LAYER_H
#define EXAMPLES_EMBED_BYTE_LAYER_H

#include <stddef.h>

/** A layer, and the beginning of its names. */
typedef struct byte_layer {
    const char *name;
    size_t layer, hidden, inputs, size;
    /** weight_ih and weight_hh; biases, NULL for zeros; weight_hr, NULL for none. */
    const float *input, *recurrent, *ih, *hh, *projection;
} byte_layer;

/** Prints the arrays that code_byte_layer reads. */
void byte_layer_print(const byte_layer *l);

#endif
