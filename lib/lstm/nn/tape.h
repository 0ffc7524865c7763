/**
 * @file
 * Inside of a tape: the activations of one forward, and where they are.
 *
 * A direction works on sequences in its own order of time: step s of the reverse
 * direction is step length - 1 - s of the caller. Buffers of states have one step more
 * than the sequence; the initial state comes first.
 */
#ifndef LSTM_NN_TAPE_H
#define LSTM_NN_TAPE_H

#include <lstm/tape.h>
#include <lstm/threads.h>

#include "lib/lstm/core/tasks.h"
#include "lib/lstm/nn/batch.h"
#include "lib/lstm/nn/weights.h"

/** Activations of one direction of one layer. */
typedef struct lstm_activations {
    /** Input in the direction's order of time: another buffer, or x_reversed. */
    const float *x;
    float *x_reversed;
    /** h and c before each step, and after it: the same buffers, a step later. */
    float *h, *h_out, *c, *c_out;
    /** o tanh(c) before the projection, [T]; NULL without one. */
    float *u;
    /** [T], for backward, which replaces the gates by their gradients. NULL in
     *  evaluation; for a single row the gates are its sums before h is added. */
    float *gates, *tanh_c;
} lstm_activations;

/** A block of memory: of the library, which grows, or of the caller, which does not. */
typedef struct lstm_workspace {
    void *memory;
    size_t size;
    bool given;
} lstm_workspace;

/** Frees memory that the caller did not give. */
void lstm_workspace_free(lstm_workspace *workspace);

/** The activations of one forward. */
struct lstm_tape {
    /** The weights that it belongs to, and whether it is the tape of their layer. */
    const lstm_weights *weights;
    bool own;
    /** Generator of the dropout masks; NULL without dropout. */
    lstm_rng *rng;
    lstm_workspace workspace;
    /** Whether a forward is pending, and the version of its weights. */
    bool pending;
    uint64_t version;
    lstm_batch batch;
    /** Whether activations are kept for backward. */
    bool keep;
    bool has_h0, has_c0;
    /** One sequence in evaluation: the kernels of a single row compute its cells. */
    bool single;
    /** Threads own hidden units of all rows and wait for each other at each step: for
     *  batches of too few rows. */
    bool split_units;
    /** Steps that the buffers hold: all, or a window of an evaluation. */
    size_t window;
    /** The input in blocks; the output of each layer after dropout and concatenation,
     *  which is h_out when there is neither. */
    float *x, **y;
    /** [layers - 1] dropout masks, 0 or 1, [T][N][D*S], in the order of rows here. */
    uint8_t **mask;
    /** One for each part of the rows. */
    lstm_queue *queues;
    /** [layers * directions]. */
    lstm_activations *at;
};

/** Makes a tape, the layer's own or one of the caller. */
lstm_status lstm_tape_make(lstm_tape **out, const lstm_weights *weights, lstm_rng *rng,
                           bool own);

/** Bytes of a tape with its arrays for so many layers and directions; with memory it
 *  also sets their addresses. */
size_t lstm_tape_arrays(lstm_tape *tape, size_t layers, size_t directions,
                        void *memory);

/** Sets the sizes and the mode of the next forward, before its buffers are laid out. */
void lstm_tape_shape(const lstm_weights *weights, lstm_tape *tape, size_t batch,
                     size_t steps, bool training);

/** Bytes of the activations; SIZE_MAX on overflow. */
size_t lstm_tape_size(const lstm_weights *weights, const lstm_tape *tape);

/** Lays out the activations over memory. */
void lstm_tape_plan(const lstm_weights *weights, lstm_tape *tape, void *memory);

/** Number of queues: enough for each thread and each group of rows. */
static inline size_t lstm_tape_queues(const lstm_tape *tape)
{
    size_t groups = tape->batch.blocked.groups;
    return groups < LSTM_MAX_THREADS ? LSTM_MAX_THREADS : groups;
}

/** Gradients of one direction of one layer during a backward pass, in the direction's
 *  order of time. */
typedef struct lstm_slopes {
    /** Of h from the next step and of c, one step; of the projected h, [T]; of u, one
     *  step. */
    float *dh, *dc, *dp, *du;
    /** Of the input and of the output of the reverse direction, [T]. */
    float *dx_reversed, *dy_reversed;
} lstm_slopes;

/** What a backward pass needs beside the activations. */
typedef struct lstm_scratch {
    /** Gradients of the output and of the input of the current layer, and of x, [T]. */
    float *dy, *dx, *dx_input;
    /** [layers * directions]. */
    lstm_slopes *at;
    /** Of the weight gradients: queues, and the tiles of a direction. */
    lstm_queue *queues;
    size_t queue_count;
    float *tiles;
} lstm_scratch;

/** Bytes of the scratch for the backward pass of a tape; SIZE_MAX on overflow. */
size_t lstm_scratch_size(const lstm_weights *weights, const lstm_tape *tape);

/** Lays out the scratch over memory. */
void lstm_scratch_plan(const lstm_weights *weights, const lstm_tape *tape,
                       lstm_scratch *scratch, void *memory);

#endif
