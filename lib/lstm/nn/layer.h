/**
 * @file
 * The private part of a layer: weights, its own tape, and the scratch of its backward
 * passes. Each header in this list may include those before it:
 *
 *     cell.h        the cell's parameters; cell.c: the jobs of its kernels
 *     blocked.h     the blocked layout; rows in and out
 *     batch.h       the order of a batch: lengths, active rows, draws of dropout
 *     weights.h     parameters, packed panels (panels.c), versions
 *     tape.h        activations of a forward, gradients of a backward; plan.c: buffers
 *     partition.h   queues, chunks of steps and ranges of rows for a team of threads
 *     copy.h        tensors into blocks and back, reversal, dropout (dropout.c)
 *     pass.h        forward and backward: pass_*.c in order, forward.c and backward.c
 *                   through time, gradients.c for the weights
 *     layer.h       the public calls: layer.c, layer_call.c, layer_gates.c,
 *                   workspace.c, weight_layouts.c
 *     stream.h      steps of inference, through the same forward.c
 */
#ifndef LSTM_NN_LAYER_H
#define LSTM_NN_LAYER_H

#include "lib/lstm/nn/tape.h"
#include "lib/lstm/nn/weights.h"

struct lstm_layer {
    lstm_weights weights;
    bool training;
    /** The caller has set memory, so later forwards and backwards must not allocate: a
     * switch to training allocates the panels for backward. */
    bool preallocated;
    /** The tape of calls without a tape argument. */
    lstm_tape *tape;
    /** Scratch of backward passes, which run one at a time; and its memory, for tapes
     * that contain only activations. */
    lstm_scratch scratch;
    lstm_workspace workspace;
};

/** Fails if a tape belongs to another layer; NULL is the layer's own tape. */
lstm_status lstm_layer_check_tape(const lstm_layer *layer, const lstm_tape *tape);

/** Fails if the precision of a layer is for inference only. */
lstm_status lstm_layer_check_trains(const lstm_layer *layer);

/** Fails when no forward is pending on a tape, or the weights have changed since. */
lstm_status lstm_tape_check_pending(const lstm_weights *weights, const lstm_tape *tape);

/** Ensures that there is memory for the activations of a tape, and assigns addresses.
 */
lstm_status lstm_tape_reserve(const lstm_weights *weights, lstm_tape *tape);

/** Ensures that there is memory for the backward pass of a tape, and assigns addresses
 * to the layer's scratch. */
lstm_status lstm_scratch_reserve(lstm_layer *layer, const lstm_tape *tape);

#endif
