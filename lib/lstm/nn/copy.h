/**
 * @file
 * Copies between the caller's tensors and blocks; reversal in time; dropout.
 *
 * Each function uses only the rows of a range, so threads need no barrier here. An
 * operand is a value that products read: it is rounded in bfloat16.
 */
#ifndef LSTM_NN_COPY_H
#define LSTM_NN_COPY_H

#include "lib/lstm/nn/partition.h"

/** A sequence of the caller, and its strides. */
typedef struct lstm_sequence {
    float *data;
    ptrdiff_t step, row, channel;
} lstm_sequence;

/** A tensor [N, T, channels] with batch_first, else [T, N, channels]. */
static inline lstm_sequence lstm_sequence_of(const lstm_tensor *tensor,
                                             bool batch_first)
{
    size_t step = batch_first ? 1 : 0;
    return (lstm_sequence){tensor->data, tensor->strides[step],
                           tensor->strides[1 - step], tensor->strides[2]};
}

/** Copies steps start to end of a sequence into blocks of segments of channels. */
void lstm_copy_in(const lstm_batch *batch, const lstm_range *range, lstm_sequence from,
                  size_t start, size_t end, size_t segments, size_t channels,
                  bool operand, float *to);

/** Copies blocks back to the caller; steps past the end of a row become zero. */
void lstm_copy_out(const lstm_batch *batch, const lstm_range *range, const float *from,
                   size_t start, size_t end, size_t segments, size_t channels,
                   bool operand, lstm_sequence to);

/** Copies state index of [., N, channels] into blocks of one step; zeros for NULL. */
void lstm_state_in(const lstm_batch *batch, const lstm_range *range,
                   const lstm_tensor *from, size_t index, size_t channels, bool operand,
                   float *to);

/** Copies the final state of each row that ends in steps start to end. from has the
 * states before each of these steps and after the last one. */
void lstm_state_out(const lstm_batch *batch, const lstm_range *range, const float *from,
                    size_t start, size_t end, size_t channels, bool operand,
                    lstm_tensor *to, size_t index);

/** Copies the state in the first step of a buffer to the caller. */
void lstm_first_state_out(const lstm_batch *batch, const lstm_range *range,
                          const float *from, size_t channels, bool operand,
                          lstm_tensor *to, size_t index);

/** Copies the state after a window of steps to the initial state of the next window. */
void lstm_state_carry(const lstm_batch *batch, const lstm_range *range, float *states,
                      size_t steps, size_t blocks);

/** A copy of blocks in each step: blocks from_block to from_block + blocks - 1 of
 * from_blocks are copied to to_block and the following of to_blocks. The time of each
 * row is reversed. */
typedef struct lstm_reversal {
    const float *from;
    size_t from_blocks, from_block;
    float *to;
    size_t to_blocks, to_block;
    size_t blocks;
    /** Keep the order of time; add to the destination. */
    bool keep_order, add;
    bool operand;
} lstm_reversal;

void lstm_copy_reversed(const lstm_batch *batch, const lstm_range *range,
                        const lstm_reversal *copy);

/** Draws the masks of all layers in PyTorch's order, from the tape's generator. */
void lstm_draw_masks(const lstm_weights *weights, lstm_tape *tape);

/** Multiplies a sequence by the mask of a layer and by 1 / (1 - p). */
void lstm_apply_mask(const lstm_weights *weights, const lstm_tape *tape,
                     const lstm_range *range, size_t index, bool operand,
                     float *values);

#endif
