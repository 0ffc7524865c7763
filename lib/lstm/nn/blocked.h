/**
 * @file
 * The blocked layout of activations (see kernels.h): strides, offsets, and copies of
 * rows.
 *
 * A step consists of groups of rows of the batch, and a group consists of blocks of 16
 * channels. With bfloat16, operands of products are pairs or wide values (see
 * kernels/pairs.h): x, h, u, and the gradients of the gates and of the projected h.
 * Everything else is float32.
 */
#ifndef LSTM_NN_BLOCKED_H
#define LSTM_NN_BLOCKED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/lstm/kernels/kernels.h"

/** The layout of the rows of a batch in each step. */
typedef struct lstm_blocked {
    /** Kernels of the current call; operands have the form that these read. */
    const lstm_kernels *kernels;
    /** N, rows of a full group, number of groups. */
    size_t rows, group_rows, groups;
} lstm_blocked;

/** The layout of this number of rows. */
lstm_blocked lstm_blocked_create(const lstm_kernels *kernels, size_t rows);

/** Stride of blocks. */
static inline size_t lstm_blocked_stride(const lstm_blocked *blocked)
{
    return blocked->group_rows * LSTM_BLOCK;
}

/** Stride of steps with this number of blocks. */
static inline size_t lstm_blocked_step(const lstm_blocked *blocked, size_t blocks)
{
    return blocked->groups * blocked->group_rows * LSTM_BLOCK * blocks;
}

/** Consecutive rows of one group. */
typedef struct lstm_rows {
    size_t first, count, group, row;
} lstm_rows;

/** The rows from first on that are before end and in the same group. */
static inline lstm_rows lstm_blocked_rows(const lstm_blocked *blocked, size_t first,
                                          size_t end)
{
    lstm_rows rows = {.first = first,
                      .group = first / blocked->group_rows,
                      .row = first % blocked->group_rows};
    size_t left = blocked->group_rows - rows.row;
    rows.count = end - first < left ? end - first : left;
    return rows;
}

/** Offset of the first of these rows within a step, in its first block. */
static inline size_t lstm_blocked_offset(const lstm_blocked *blocked, lstm_rows rows,
                                         size_t blocks)
{
    return (rows.group * blocks * blocked->group_rows + rows.row) * LSTM_BLOCK;
}

/** Offset of a row of a step in a buffer of steps. */
static inline size_t lstm_blocked_row(const lstm_blocked *blocked, size_t step,
                                      size_t row, size_t blocks)
{
    return step * lstm_blocked_step(blocked, blocks) +
           lstm_blocked_offset(blocked, lstm_blocked_rows(blocked, row, row + 1),
                               blocks);
}

/** Whether values are rounded: true for operands of products in bfloat16. */
static inline bool lstm_blocked_rounded(const lstm_blocked *blocked, bool operand)
{
    return operand && blocked->kernels->round;
}

/** Whether values are pairs, not float32 or wide. */
static inline bool lstm_blocked_paired(const lstm_blocked *blocked, bool operand)
{
    return lstm_blocked_rounded(blocked, operand) && !blocked->kernels->wide;
}

/** Rounds blocks of rows start to end of a step in place, if products read bfloat16. */
static inline void lstm_blocked_round(const lstm_blocked *blocked, size_t start,
                                      size_t end, size_t blocks, size_t first_block,
                                      size_t last_block, float *values)
{
    if (!blocked->kernels->round)
        return;
    lstm_rows rows;
    for (size_t row = start; row < end; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, end);
        float *block = values + lstm_blocked_offset(blocked, rows, blocks);
        for (size_t b = first_block; b < last_block; b++)
            blocked->kernels->round(rows.count,
                                    block + b * lstm_blocked_stride(blocked));
    }
}

/** Copies a block of a row out of pairs; offset is the offset of its first channel. */
void lstm_block_from_pairs(const float *values, size_t offset, float *to);

/** Rounds a block of a row to pairs and stores it at an offset. */
void lstm_block_to_pairs(const float *from, float *values, size_t offset);

/** Copies a row of channels into blocks of floats; the lanes after the last channel of
 * a segment become zero. */
void lstm_blocked_row_in(const lstm_blocked *blocked, const float *from,
                         ptrdiff_t stride, size_t segments, size_t channels, float *to);

/** Copies the row at an offset of a blocked buffer to floats of the caller. */
void lstm_blocked_row_out(const lstm_blocked *blocked, bool operand,
                          const float *values, size_t offset, size_t segments,
                          size_t channels, float *to, ptrdiff_t stride);

/** Sets the row at an offset of a blocked buffer to zero. */
void lstm_blocked_row_clear(const lstm_blocked *blocked, bool operand, float *values,
                            size_t offset, size_t blocks);

#endif
