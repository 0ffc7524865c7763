/*
 * Copies rows of the caller into blocks and back.
 */
#include "lib/lstm/nn/blocked.h"

#include <string.h>

#include "lib/common/extremes.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/kernels/pairs.h"

lstm_blocked lstm_blocked_create(const lstm_kernels *kernels, size_t rows)
{
    lstm_blocked blocked = {.kernels = kernels, .rows = rows};
    blocked.group_rows = common_smaller(rows, LSTM_GROUP_ROWS);
    /* Pairs need an even number of rows. */
    if (kernels->round)
        blocked.group_rows += blocked.group_rows % 2;
    blocked.groups = (rows + blocked.group_rows - 1) / blocked.group_rows;
    return blocked;
}

/* The first row of a group is even, so the offset shows whether a row is even or odd.
 */
void lstm_block_from_pairs(const float *values, size_t offset, float *to)
{
    size_t row = offset / LSTM_BLOCK % 2;
    lstm_pairs_load(values + offset - row * LSTM_BLOCK, row, to);
}

void lstm_block_to_pairs(const float *from, float *values, size_t offset)
{
    size_t row = offset / LSTM_BLOCK % 2;
    lstm_pairs_store(values + offset - row * LSTM_BLOCK, row, from);
}

void lstm_blocked_row_in(const lstm_blocked *blocked, const float *from,
                         ptrdiff_t stride, size_t segments, size_t channels, float *to)
{
    for (size_t segment = 0; segment < segments; segment++) {
        lstm_row_to_blocks(from, stride, channels, to, lstm_blocked_stride(blocked));
        from += (ptrdiff_t)channels * stride;
        to += lstm_blocks(channels) * lstm_blocked_stride(blocked);
    }
}

/* Copies a segment of a row out of pairs. */
static void pairs_out(const lstm_blocked *blocked, const float *values, size_t offset,
                      size_t channels, float *to, ptrdiff_t stride)
{
    for (size_t c = 0; c < channels; c += LSTM_BLOCK) {
        float block[LSTM_BLOCK];
        size_t width = common_smaller(channels - c, LSTM_BLOCK);
        lstm_block_from_pairs(values, offset, block);
        lstm_row_from_blocks(block, 0, width, to + (ptrdiff_t)c * stride, stride);
        offset += lstm_blocked_stride(blocked);
    }
}

void lstm_blocked_row_out(const lstm_blocked *blocked, bool operand,
                          const float *values, size_t offset, size_t segments,
                          size_t channels, float *to, ptrdiff_t stride)
{
    bool pairs = lstm_blocked_paired(blocked, operand);
    size_t block_stride = lstm_blocked_stride(blocked);
    for (size_t segment = 0; segment < segments; segment++) {
        if (pairs)
            pairs_out(blocked, values, offset, channels, to, stride);
        else
            lstm_row_from_blocks(values + offset, block_stride, channels, to, stride);
        offset += lstm_blocks(channels) * block_stride;
        to += (ptrdiff_t)channels * stride;
    }
}

void lstm_blocked_row_clear(const lstm_blocked *blocked, bool operand, float *values,
                            size_t offset, size_t blocks)
{
    static const float zeros[LSTM_BLOCK];
    bool pairs = lstm_blocked_paired(blocked, operand);
    for (size_t b = 0; b < blocks; b++, offset += lstm_blocked_stride(blocked))
        if (pairs)
            lstm_block_to_pairs(zeros, values, offset);
        else
            memset(values + offset, 0, sizeof(zeros));
}
