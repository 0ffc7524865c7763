/**
 * @file
 * The private part of a tape: the activations of one forward.
 *
 * A direction computes in its own order of time: step s of the reverse direction is
 * step length - 1 - s of the caller. Buffers of states have one step more than the
 * sequence, because the initial state comes first.
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
    /** Input in the direction's order of time: a pointer to another buffer, or
     * x_reversed. */
    const float *x;
    float *x_reversed;
    /** h and c before each step, and after each step: the same buffers, one step later.
     */
    float *h, *h_out, *c, *c_out;
    /** o tanh(c) before the projection, [T]; NULL without one. */
    float *u;
    /** [T] values for backward, which replaces the gates by their gradients. NULL in
     * evaluation, except that gates hold the products of the inputs that are computed
     * first. */
    float *gates, *tanh_c;
} lstm_activations;

/** A block of memory. The library's memory grows, the caller's does not. */
typedef struct lstm_workspace {
    void *memory;
    size_t size;
    bool from_caller;
} lstm_workspace;

/** Frees the memory unless it belongs to the caller. */
void lstm_workspace_free(lstm_workspace *workspace);

/** The activations of one forward. */
struct lstm_tape {
    /** The weights that it belongs to, and whether it is the layer's own tape. */
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
    /** Products with weight_ih are computed for all steps of a chunk at once. */
    bool inputs_apart;
    /** Each thread computes some hidden units of all rows, and the threads wait for
     * each other at each step. This is for batches of too few rows. */
    bool split_units;
    /** Number of steps in the buffers: all, or in evaluation a window. */
    size_t window;
    /** The input in blocks; the output of each layer after dropout and concatenation,
     * which is h_out without these. */
    float *x, **y;
    /** [layers - 1] dropout masks, 0 or 1, [T][N][D*S], in the order of the sorted
     * rows. */
    uint8_t **mask;
    /** [lstm_tape_queues()] queues of tasks. */
    lstm_queue *queues;
    /** [layers * directions]. */
    lstm_activations *at;
};

/** Allocates a tape: the layer's own, or a tape of the caller. */
lstm_status lstm_tape_make(lstm_tape **out, const lstm_weights *weights, lstm_rng *rng,
                           bool own);

/** Number of bytes of a tape with its arrays for these layers and directions. With
 * memory it also sets the addresses of the arrays. */
size_t lstm_tape_arrays(lstm_tape *tape, size_t layers, size_t directions,
                        void *memory);

/** Sets the sizes and the mode of the next forward. Call it before lstm_tape_plan(). */
void lstm_tape_shape(const lstm_weights *weights, lstm_tape *tape, size_t batch,
                     size_t steps, bool training);

/** Number of bytes of the activations; SIZE_MAX on overflow. */
size_t lstm_tape_size(const lstm_weights *weights, const lstm_tape *tape);

/** Assigns addresses in memory to the activations. */
void lstm_tape_plan(const lstm_weights *weights, lstm_tape *tape, void *memory);

/** Number of queues: enough for each thread and each group of rows. */
static inline size_t lstm_tape_queues(const lstm_tape *tape)
{
    size_t groups = tape->batch.blocked.groups;
    return groups < LSTM_MAX_THREADS ? LSTM_MAX_THREADS : groups;
}

/** Gradients of the states of one direction of one layer during a backward pass, in the
 * direction's order of time. */
typedef struct lstm_state_gradients {
    /** Gradients of h (from the next step) and of c, for one step; of the projected h,
     * [T]; of u, for one step. */
    float *dh, *dc, *dp, *du;
    /** Gradients of the input and of the output of the reverse direction, [T]. */
    float *dx_reversed, *dy_reversed;
} lstm_state_gradients;

/** Memory that a backward pass needs in addition to the activations. */
typedef struct lstm_scratch {
    /** Gradients of the output and of the input of the current layer, and of x, [T]. */
    float *dy, *dx, *dx_input;
    /** [layers * directions]. */
    lstm_state_gradients *at;
    /** Queues and tiles of the weight gradients. */
    lstm_queue *queues;
    size_t queue_count;
    float *tiles;
} lstm_scratch;

/** Number of bytes of the scratch for the backward pass of a tape; SIZE_MAX on
 * overflow. */
size_t lstm_scratch_size(const lstm_weights *weights, const lstm_tape *tape);

/** Assigns addresses in memory to the scratch. */
void lstm_scratch_plan(const lstm_weights *weights, const lstm_tape *tape,
                       lstm_scratch *scratch, void *memory);

#endif
