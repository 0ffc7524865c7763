/**
 * @file
 * Forward and backward passes, computed from weights and a tape.
 *
 * These functions do not use the layer. All computations of a layer are in
 * lstm_weights_pack(), lstm_pass_forward() and lstm_pass_backward(); a stream calls
 * lstm_forward_direction().
 */
#ifndef LSTM_NN_PASS_H
#define LSTM_NN_PASS_H

#include "lib/lstm/nn/partition.h"
#include "lib/lstm/nn/tape.h"

/** The tensors of a pass; NULL for zeros, or for results that are not wanted. */
typedef struct lstm_pass {
    const lstm_weights *weights;
    lstm_tape *tape;
    /** Memory of a backward pass. */
    const lstm_scratch *scratch;
    const lstm_tensor *x, *h0, *c0, *dout, *dhn, *dcn;
    lstm_tensor *out, *hn, *cn, *dx, *dh0, *dc0;
} lstm_pass;

/** Runs a forward on the threads of the pool. */
void lstm_pass_forward(const lstm_pass *pass);

/** Runs a backward with its weight gradients on the threads of the pool. */
void lstm_pass_backward(const lstm_pass *pass);

/** Computes a chunk of a layer for the rows and blocks of a range. */
typedef void (*lstm_pass_task)(const lstm_pass *p, const lstm_range *range,
                               const lstm_chunk *chunk);

/** Runs the tasks that this thread of a team takes. */
void lstm_pass_run_tasks(const lstm_pass *p, lstm_team *team, size_t thread,
                         size_t threads, bool backward, lstm_pass_task run);

/** The computation of steps of one direction of one layer. */
typedef struct lstm_steps {
    const lstm_weights *weights;
    const lstm_tape *tape;
    const lstm_range *range;
    const lstm_direction *direction;
    const lstm_activations *at;
    /** Blocks of a step of the input, of h and of the hidden units. */
    size_t x_blocks, state, hidden;
} lstm_steps;

/** The steps of a direction; index is layer * directions + direction. */
static inline lstm_steps lstm_steps_of(const lstm_weights *weights,
                                       const lstm_tape *tape, const lstm_range *range,
                                       size_t index)
{
    const lstm_direction *direction = &weights->direction[index];
    return (lstm_steps){
        .weights = weights,
        .tape = tape,
        .range = range,
        .direction = direction,
        .at = &tape->at[index],
        .x_blocks = lstm_direction_blocks(direction),
        .state = lstm_blocks(weights->state),
        .hidden = lstm_blocks(weights->config.hidden),
    };
}

/* forward.c */

/** Runs steps chunk->start to chunk->end of a direction; buffers begin at step
 *  chunk->window. */
void lstm_forward_direction(const lstm_steps *s, const lstm_chunk *chunk);

/* backward.c */

/** Gradients of the output and of the input of a direction. */
typedef struct lstm_io_gradients {
    /** [T] gradient of the output: steps of dy_blocks blocks, of which those from
     * dy_block on belong to this direction; NULL for zeros. */
    const float *dy;
    size_t dy_blocks, dy_block;
    /** [T] gradient of the input in the direction's order of time; NULL when not
     * wanted. */
    float *dx;
    /** Whether the gradient of the initial hidden state is wanted. */
    bool dh0;
} lstm_io_gradients;

/** Runs steps end - 1 to start of a direction backward. */
void lstm_backward_direction(const lstm_steps *s, const lstm_state_gradients *gradients,
                             const lstm_io_gradients *io, size_t start, size_t end);

/* gradients.c */

/** Number of floats of the tiles, and their stride from one block of rows to the next.
 */
size_t lstm_gradient_tiles(const lstm_weights *weights, size_t *stride);

/** Number of queues of the weight gradients: one for each block of rows. */
size_t lstm_gradient_queues(const lstm_weights *weights);

/** Computes weight gradients on a thread of a team, until all tasks are taken. */
void lstm_weight_gradients(const lstm_weights *weights, const lstm_tape *tape,
                           const lstm_scratch *scratch, size_t thread, size_t threads);

/* cell.c */

/** Computes the cells of a block of units, or a part of them, at a step of the buffers,
 * for the rows of the range up to active. first is true for the first step of the
 * sequence. With prefetch it prefetches the input of the next step. */
void lstm_cell_forward(const lstm_steps *s, lstm_cell_part part, size_t step,
                       bool first, bool prefetch, size_t block, size_t active);

/** For a single row: computes the products of the inputs of some steps, and stores them
 * in the gates. */
void lstm_cell_forward_inputs(const lstm_steps *s, size_t steps, size_t first_block,
                              size_t last_block);

/** Computes the cells of a single row at a step. */
void lstm_cell_forward_row(const lstm_steps *s, size_t step, bool first,
                           size_t first_block, size_t last_block);

/** Computes the gradients of the gates at a step, in place of the gates. */
void lstm_cell_backward(const lstm_steps *s, const lstm_state_gradients *gradients,
                        const lstm_io_gradients *io, size_t step, size_t active);

#endif
