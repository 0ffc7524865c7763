/**
 * @file
 * Inside of a stream: its buffers (stream.c) and their states (stream_state.c).
 */
#ifndef LSTM_NN_STREAM_H
#define LSTM_NN_STREAM_H

#include <lstm/stream.h>

#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/inference.h"

/** One layer of it. */
typedef struct stream_layer {
    lstm_panels panels;
    /** State; spare is where the next h comes, or u = o tanh(c) before a projection. */
    float *h, *spare, *c;
} stream_layer;

struct lstm_stream {
    const lstm_layer *layer;
    /** Those of the call at hand. */
    const lstm_kernels *kernels;
    bool batch_first;
    /** Whether the states are more than zeros that nobody has set. */
    bool has_h, has_c;
    size_t layers, inputs, hidden, state, outputs;
    /** N, rows of a full group, their number, and distance between blocks. */
    size_t batch, group_rows, groups, stride;
    /** One step of x in blocks; [S] and [Y], padded to blocks, of one sequence. */
    float *x, *row, *y;
    /** The head turned and padded, see lstm_linear_row; NULL without one. */
    float *weight, *bias;
    stream_layer *at;
};

/** Where a row starts in a buffer of blocks. */
static inline size_t lstm_stream_offset(const lstm_stream *stream, size_t row,
                                        size_t channels)
{
    return row / stream->group_rows * lstm_blocks(channels) * stream->stride +
           row % stream->group_rows * LSTM_BLOCK;
}

/** Rounds what products read to pairs, where they read those. */
void lstm_stream_to_pairs(const lstm_stream *stream, size_t channels, float *values);

/** A row of x or h, back from blocks. */
void lstm_stream_row_out(const lstm_stream *stream, const float *values, size_t row,
                         size_t channels, float *to, ptrdiff_t stride);

#endif
