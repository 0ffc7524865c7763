/**
 * @file
 * The private part of a stream: a tape of one step (stream.c) that keeps its states
 * (stream_state.c).
 */
#ifndef LSTM_NN_STREAM_H
#define LSTM_NN_STREAM_H

#include <lstm/stream.h>

#include "lib/lstm/nn/copy.h"
#include "lib/lstm/nn/pass.h"

struct lstm_stream {
    const lstm_layer *layer;
    /** The states of layer l are tape.at[l].h and .c, zero without has_h0 and has_c0.
     */
    lstm_tape tape;
    /** [layers] the step of each layer, for all rows. */
    lstm_steps *steps;
    lstm_range range;
    /** [layers] the cell of each layer without the arrays that change, for a single
     * sequence that is not bfloat16, without a projection; else NULL. */
    lstm_cell_row *cells;
    /** Y. */
    size_t outputs;
    /** h of one row as floats [S], and the output of the head [Y], padded to blocks. */
    float *row, *y;
    /** The head, transposed and padded (see lstm_linear_row); NULL without a head. */
    float *weight, *bias;
};

#endif
