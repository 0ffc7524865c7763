/**
 * @file
 * Inside of a stream: a tape of one step (stream.c), whose states stay
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
    /** [layers] one step of each layer, for all rows. */
    lstm_steps *steps;
    lstm_range range;
    /** Y. */
    size_t outputs;
    /** A row [S] of floats and the output of the head [Y], padded to blocks. */
    float *row, *y;
    /** The head, transposed and padded, see lstm_linear_row; NULL without one. */
    float *weight, *bias;
};

#endif
