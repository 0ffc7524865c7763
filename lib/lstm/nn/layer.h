/**
 * @file
 * Inside of the layer.
 *
 * A forward or backward is a run: one batch through the stack. Rows of the batch are
 * sorted by length, longest first, so that the rows that still count at a step are the
 * first ones. A direction works on sequences in its own order of time: step s of the
 * reverse direction is step length - 1 - s of the caller's. Activations are blocked
 * (see kernels.h); buffers of states have one step more than the sequence, the initial
 * state first. With bfloat16 the operands of products, x, h, u and the gradients of the
 * gates and of the projected h, are rounded to pairs (see kernels/pairs.h) where they
 * lie; everything else stays float32.
 *
 *     layer.c           creation, parameters, options
 *     layer_pack.c      weights into the panels that the kernels read
 *     layer_plan.c      buffers of a run in one piece of memory
 *     layer_rows.c      order of the rows, and how threads deal them out
 *     layer_workspace.c that memory: the layer's own or the caller's
 *     layer_copy.c      tensors into blocks and back, reversal, dropout
 *     layer_forward.c   forward through time
 *     layer_backward.c  backward through time
 *     layer_gradient.c  weight gradients
 *     layer_run.c       the order of all this in a forward or backward
 *     layer_tape.c      tapes, and the gates of one
 *     layer_call.c      the public calls: checks, memory, packing
 */
#ifndef LSTM_NN_LAYER_H
#define LSTM_NN_LAYER_H

#include <pthread.h>
#include <stdint.h>

#include <lstm/layer.h>
#include <lstm/tape.h>

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/tasks.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/nn/parameter.h"

/** Weights of one direction of one layer. */
typedef struct lstm_direction {
    /** NULL for what the options leave out. */
    lstm_parameter *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_hr;
    /** Input: its segments of channels. */
    size_t x_segments, x_channels;
    /** Panels for forward: cell weights, biases, projection. */
    lstm_packed *cell, *project;
    float *bias;
    /** Panels for backward: weight_hh, weight_ih, weight_hr. */
    lstm_packed *back_h, *back_x, *back_project;
} lstm_direction;

/** Activations of one direction of one layer. */
typedef struct lstm_activations {
    /** Input in the direction's order of time; points into another buffer or at
     *  x_reversed. */
    const float *x;
    float *x_reversed;
    /** States, [T + 1] steps; without a projection u is the part of h after step 0. */
    float *h, *c;
    /** o tanh(c) before the projection, [T]; NULL without one. */
    float *u;
    /** For backward, [T]; the gates become their gradients. NULL when nothing is kept;
     * but for a single row the gates are its sums before h is added. */
    float *gates, *tanh_c;
} lstm_activations;

/** Gradients of one direction of one layer during a backward pass, in the direction's
 *  order of time. */
typedef struct lstm_slopes {
    /** Of h from the step after and of c, one step; of the projected h, [T]; of u, one
     *  step. */
    float *dh, *dc, *dp, *du;
    /** Of the input of the reverse direction, and of its output, [T]. */
    float *dx_reversed, *dy_reversed;
} lstm_slopes;

/** One batch on its way through the stack. */
typedef struct lstm_run {
    /** Of the layer's precision, at the call at hand. */
    const lstm_kernels *kernels;
    size_t batch, steps;
    /** Rows of a full group, number of groups. */
    size_t group_rows, groups;
    /** [batch] the caller's row of each row here; NULL when they are the same. */
    size_t *order;
    /** [batch] steps of each row; non-increasing. */
    size_t *lengths;
    /** [steps] rows that count at each step; non-increasing. NULL when nothing is kept.
     */
    size_t *active;
    /** [steps] scratch of the sort. */
    size_t *next;
    /** [batch] the row of each sequence of the caller's, and rows in the order in which
     * PyTorch draws their masks. Both only with order, and when something is kept. */
    size_t *row_of, *draws;
    bool keep, has_h0, has_c0;
    /** Steps that the buffers hold: all, or a chunk of an evaluation. */
    size_t capacity;
    /** Threads own hidden units and wait for each other at each step, instead of owning
     *  rows: for small batches, where rows are too few. */
    bool split_units;
    /** The input in blocks; output of each layer after dropout and concatenation, which
     * is h when there is neither. */
    float *x;
    float **y;
    /** [layers - 1] masks of dropout, 0 or 1, [steps][batch][channels] here's rows. */
    uint8_t **mask;
    /** Of the parts of the rows. */
    lstm_queue *chains;
    size_t chain_count;
    /** [layers * directions]. */
    lstm_activations *at;
} lstm_run;

/** What a backward pass works in beside the activations. */
typedef struct lstm_scratch {
    /** Gradients of the output of the layer at hand, of its input, and of x, [T]. */
    float *dy, *dx, *dx_input;
    /** [layers * directions]. */
    lstm_slopes *at;
    /** Of the weight gradients. */
    lstm_queue *chains;
    size_t chain_count;
    /** Tiles of the weight gradients of a direction. */
    float *tiles;
} lstm_scratch;

/** A block of memory: of the library, which grows, or of the caller, which does not. */
typedef struct lstm_workspace {
    void *memory;
    size_t size;
    bool given;
} lstm_workspace;

/** The activations of one forward. */
struct lstm_tape {
    /** The layer that it belongs to, and whether it is that layer's own. */
    const lstm_layer *layer;
    bool own;
    /** Masks of dropout are drawn from it; NULL without dropout. */
    lstm_rng *rng;
    lstm_run run;
    lstm_workspace workspace;
    /** A forward in training mode waits for its backward, and the version of the
     *  weights that it used. */
    bool pending;
    uint64_t version;
};

struct lstm_layer {
    lstm_layer_config config;
    /** D, S (size of h), and both once more for reading: 1 or 2, P or H. */
    size_t directions, state;
    lstm_parameter *parameters;
    size_t parameter_count;
    /** Of the weights, and of those that the panels were made from; 0 is none. */
    uint64_t version, packed, packed_back;
    /** Lets one of the forwards with tapes of their own pack for all. */
    pthread_mutex_t packing;
    bool training;
    /** Memory was given: no call allocates later, so switching to training does. */
    bool preallocated;
    /** [layers * directions]. */
    lstm_direction *direction;
    lstm_packed *panels, *back_panels;
    /** Of the calls without a tape. */
    lstm_tape *tape;
    /** Of backward passes, which run one at a time, and the memory of those whose tape
     *  holds activations alone. */
    lstm_scratch scratch;
    lstm_workspace workspace;
};

/* layer_pack.c */

/** Makes the panels that are older than the weights, all at least once with anew; the
 *  first time it allocates them. Forwards may call it in several threads. */
lstm_status lstm_panels_update(lstm_layer *layer, bool anew);

/** Those of the backward pass, which runs alone. */
lstm_status lstm_back_panels_update(lstm_layer *layer);

/** Packs the weights after the caller may have changed them: a new version. */
lstm_status lstm_layer_read_weights(lstm_layer *layer);

/* layer_plan.c */

/** Sets what a run of this size and mode is like before its buffers are laid out. */
void lstm_run_shape(const lstm_layer *layer, lstm_run *run, size_t batch, size_t steps,
                    bool training);

/** Bytes that the activations of a run take; SIZE_MAX when they are too many to count.
 */
size_t lstm_run_size(const lstm_layer *layer, const lstm_run *run);

/** Lays out the buffers of a run over memory. */
void lstm_run_plan(const lstm_layer *layer, lstm_run *run, void *memory);

/** Bytes that the backward pass of a run takes beside its activations. */
size_t lstm_scratch_size(const lstm_layer *layer, const lstm_run *run);

/** Lays out the layer's scratch for a run over memory. */
void lstm_scratch_plan(lstm_layer *layer, const lstm_run *run, void *memory);

/** Rows that count at a step. */
static inline size_t lstm_run_active(const lstm_run *run, size_t step)
{
    if (run->active)
        return run->active[step];
    /* Rows are sorted: the first that is not longer than step ends them. */
    size_t low = 0, high = run->batch;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->lengths[middle] > step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** Distance between steps of a blocked buffer of this many blocks. */
static inline size_t lstm_run_step(const lstm_run *run, size_t blocks)
{
    return run->groups * run->group_rows * LSTM_BLOCK * blocks;
}

/** End of the steps that the buffers hold from step chunk on. */
static inline size_t lstm_run_chunk_end(const lstm_run *run, size_t chunk)
{
    size_t left = run->steps - chunk;
    return chunk + (left < run->capacity ? left : run->capacity);
}

/** A piece of a share: rows of one group, at most up to an end. */
typedef struct lstm_rows {
    size_t first, count, group, row;
} lstm_rows;

/** Rows from first on that lie in one group and before end. */
static inline lstm_rows lstm_run_rows(const lstm_run *run, size_t first, size_t end)
{
    lstm_rows rows = {.first = first,
                      .group = first / run->group_rows,
                      .row = first % run->group_rows};
    size_t left = run->group_rows - rows.row;
    rows.count = end - first < left ? end - first : left;
    return rows;
}

/** Offset, within a step, of the first row of rows in the first of blocks. */
static inline size_t lstm_run_offset(const lstm_run *run, lstm_rows rows, size_t blocks)
{
    return (rows.group * blocks * run->group_rows + rows.row) * LSTM_BLOCK;
}

/** Rounds blocks of rows start to end of a step to pairs, where products read those. */
static inline void lstm_run_to_pairs(const lstm_run *run, size_t start, size_t end,
                                     size_t blocks, size_t first_block,
                                     size_t last_block, float *values)
{
    if (!run->kernels->to_pairs)
        return;
    lstm_rows rows;
    for (size_t row = start; row < end; row += rows.count) {
        rows = lstm_run_rows(run, row, end);
        float *block = values + lstm_run_offset(run, rows, blocks);
        for (size_t b = first_block; b < last_block; b++)
            run->kernels->to_pairs(rows.count,
                                   block + b * run->group_rows * LSTM_BLOCK);
    }
}

/** Distance between blocks. */
static inline size_t lstm_run_stride(const lstm_run *run)
{
    return run->group_rows * LSTM_BLOCK;
}

/** Whether it is the evaluation of one sequence: then blocks of channels lie one after
 *  the other, and the kernels of a single row do the cells. */
static inline bool lstm_run_is_single(const lstm_layer *layer, const lstm_run *run)
{
    return run->batch == 1 && !run->keep && layer->config.precision == LSTM_FLOAT32 &&
           (layer->directions == 1 || layer->state % LSTM_BLOCK == 0);
}

/** A part of a run: rows, and some of any number of blocks. */
typedef struct lstm_part {
    lstm_team *team;
    size_t share, shares;
    /** Rows of copies, and of products. */
    size_t copy_start, copy_end, row_start, row_end;
    bool split_units;
} lstm_part;

/** First of blocks that the part owns, in units of unit; end with after true. */
static inline size_t lstm_part_block(const lstm_part *part, size_t blocks, size_t unit,
                                     size_t after)
{
    if (!part->split_units)
        return after ? blocks : 0;
    return lstm_range_start(blocks, unit, part->share + after, part->shares);
}

/** Waits for the other parts when they compute what this one reads next. */
static inline void lstm_part_sync(const lstm_part *part)
{
    if (part->split_units)
        lstm_team_wait(part->team);
}

/* layer_rows.c */

/** Sorts the rows of a run by their lengths; NULL when all have all steps. */
void lstm_run_set_lengths(lstm_run *run, const size_t *lengths);

/** How many threads a run is worth, and whether they own units. */
size_t lstm_run_shares(const lstm_layer *layer, lstm_run *run);

/**
 * How the work of a run is dealt out: its rows in parts, each of which goes through the
 * steps of a layer in pieces. Parts are a chain each, of the pieces of all layers, that
 * shares take in turns; or one for each share, all at the same time, where threads own
 * hidden units.
 */
typedef struct lstm_split {
    size_t parts, pieces;
    /** Steps of a piece. */
    size_t steps;
} lstm_split;

/** The split of a region with so many shares. */
lstm_split lstm_run_split(const lstm_layer *layer, const lstm_run *run, size_t shares,
                          bool backward);

/** The share's way through pieces of its own and other parts. */
lstm_task lstm_run_task(const lstm_run *run, const lstm_split *split, size_t slices,
                        size_t share, size_t shares);

/** Part number share of shares; or of the parts of a split, which are more. */
lstm_part lstm_run_part(const lstm_run *run, lstm_team *team, size_t share,
                        size_t shares);

/* layer_workspace.c */

/** Memory for the run of a tape; what there is stays when it is large enough. */
lstm_status lstm_tape_reserve(const lstm_layer *layer, lstm_tape *tape);

/** Memory for the backward pass of a tape's run: behind its activations, or that of the
 *  layer, which grows. */
lstm_status lstm_scratch_reserve(lstm_layer *layer, const lstm_tape *tape);

/** Frees memory that the caller did not give. */
void lstm_workspace_free(lstm_workspace *workspace);

/* layer_tape.c */

/** A tape of the layer; its own, or one of the caller's. */
lstm_status lstm_tape_make(lstm_tape **out, const lstm_layer *layer, lstm_rng *rng,
                           bool own);

/** Fails when a tape belongs to another layer; NULL stands for the layer's own. */
lstm_status lstm_tape_check(const lstm_layer *layer, const lstm_tape *tape);

/* layer_copy.c */

/** Rows of a tensor of the caller's into blocks, steps start to end of the sequence. An
 *  operand is what products read: pairs, when they do. */
void lstm_copy_in(const lstm_run *run, const lstm_part *part, const float *from,
                  ptrdiff_t step_stride, ptrdiff_t row_stride, ptrdiff_t stride,
                  size_t start, size_t end, size_t segments, size_t channels,
                  bool operand, float *to);

/** The other way; with the steps past the end of a row set to zero. */
void lstm_copy_out(const lstm_run *run, const lstm_part *part, const float *from,
                   size_t start, size_t end, size_t segments, size_t channels,
                   bool operand, float *to, ptrdiff_t step_stride, ptrdiff_t row_stride,
                   ptrdiff_t stride);

/** A state [N, channels] of the caller's into blocks of one step; zeros for NULL. An
 *  operand is what products read. */
void lstm_state_in(const lstm_run *run, const lstm_part *part, const lstm_tensor *from,
                   size_t index, size_t channels, bool operand, float *to);

/** The last state of each row, from states of [steps + 1] steps that start at start. */
void lstm_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                    size_t start, size_t end, size_t channels, bool operand,
                    lstm_tensor *to, size_t index);

/** The first state of each row, from a buffer of one step. */
void lstm_first_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                          size_t channels, lstm_tensor *to, size_t index);

/** Makes the state after steps of a chunk the initial state of the next one. */
void lstm_state_carry(const lstm_run *run, const lstm_part *part, float *states,
                      size_t steps, size_t blocks);

/** Blocks of a step copied with the order of time of each row turned round: to gets
 *  to_blocks a step from to_block on, blocks of them from from_block of from_blocks. */
typedef struct lstm_reversal {
    const float *from;
    size_t from_blocks, from_block;
    float *to;
    size_t to_blocks, to_block;
    size_t blocks;
    /** Keep the order of time, or add to what is there. */
    bool straight, add;
    /** What products read, which may be pairs; otherwise floats. */
    bool operand;
} lstm_reversal;

void lstm_copy_reversed(const lstm_run *run, const lstm_part *part,
                        const lstm_reversal *copy);

/** Multiplies a sequence with the mask of a layer and 1 / (1 - p). */
void lstm_apply_mask(const lstm_layer *layer, const lstm_run *run,
                     const lstm_part *part, size_t index, bool operand, float *values);

/** Draws the masks of all layers in PyTorch's order. */
void lstm_draw_masks(const lstm_layer *layer, lstm_run *run, lstm_rng *rng);

/* layer_forward.c */

/** One direction of one layer through steps start to end; buffers start at step chunk.
 */
void lstm_forward_direction(const lstm_layer *layer, const lstm_run *run,
                            const lstm_part *part, size_t index, size_t chunk,
                            size_t start, size_t end);

/* layer_backward.c */

/**
 * One direction of one layer backward through steps end - 1 to start.
 *
 * @param dy gradient of its output, dy_blocks a step, its own from dy_block on
 * @param dx [T] gradient of its input in its order of time; NULL when not wanted
 * @param first_dh whether the gradient of the first hidden state is wanted
 */
void lstm_backward_direction(const lstm_layer *layer, const lstm_run *run,
                             const lstm_part *part, size_t index, size_t start,
                             size_t end, const float *dy, size_t dy_blocks,
                             size_t dy_block, float *dx, bool first_dh);

/* layer_run.c */

/** The tensors of a forward or backward; NULL for zeros, or where nothing is wanted. */
typedef struct lstm_call {
    lstm_layer *layer;
    lstm_tape *tape;
    const lstm_tensor *x, *h0, *c0, *dout, *dhn, *dcn;
    lstm_tensor *out, *hn, *cn, *dx, *dh0, *dc0;
} lstm_call;

/** Runs a batch forward, or backward with its weight gradients, on the pool. */
void lstm_run_forward(const lstm_call *call);
void lstm_run_backward(const lstm_call *call);

/* layer_gradient.c */

/** Floats that the tiles take, and between those of one block of rows and the next. */
size_t lstm_gradient_tiles(const lstm_layer *layer, size_t *stride);

/** Chains that the weight gradients take: a block of rows each. */
size_t lstm_gradient_chains(const lstm_layer *layer);

/** Adds what is the share's part of all weight gradients. */
void lstm_weight_gradients(const lstm_layer *layer, const lstm_run *run, size_t share,
                           size_t shares);

#endif
