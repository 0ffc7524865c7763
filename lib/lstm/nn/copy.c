/*
 * Copies between the caller's tensors and blocks.
 */
#include "lib/lstm/nn/copy.h"
#include "lib/common/extremes.h"

#include <string.h>

void lstm_copy_in(const lstm_batch *batch, const lstm_range *range, lstm_sequence from,
                  size_t start, size_t end, size_t segments, size_t channels,
                  bool operand, float *to)
{
    const lstm_blocked *blocked = &batch->blocked;
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = range->copy_start; row < range->copy_end; row++) {
        const float *source =
            from.data + (ptrdiff_t)lstm_batch_caller_row(batch, row) * from.row;
        size_t last = common_smaller(batch->lengths[row], end);
        for (size_t step = start; step < last; step++)
            lstm_blocked_row_in(
                blocked, source + (ptrdiff_t)step * from.step, from.channel, segments,
                channels, to + lstm_blocked_row(blocked, step - start, row, blocks));
    }
    for (size_t step = start; lstm_blocked_rounded(blocked, operand) && step < end;
         step++) {
        size_t active = lstm_batch_active(batch, step);
        lstm_blocked_round(blocked, range->copy_start,
                           common_smaller(active, range->copy_end), blocks, 0, blocks,
                           to + (step - start) * lstm_blocked_step(blocked, blocks));
    }
}

static void clear(float *to, ptrdiff_t stride, size_t channels)
{
    for (size_t c = 0; c < channels; c++)
        to[(ptrdiff_t)c * stride] = 0;
}

void lstm_copy_out(const lstm_batch *batch, const lstm_range *range, const float *from,
                   size_t start, size_t end, size_t segments, size_t channels,
                   bool operand, lstm_sequence to)
{
    const lstm_blocked *blocked = &batch->blocked;
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = range->copy_start; row < range->copy_end; row++) {
        float *target = to.data + (ptrdiff_t)lstm_batch_caller_row(batch, row) * to.row;
        for (size_t step = start; step < end; step++) {
            float *destination = target + (ptrdiff_t)step * to.step;
            if (step < batch->lengths[row])
                lstm_blocked_row_out(
                    blocked, operand, from,
                    lstm_blocked_row(blocked, step - start, row, blocks), segments,
                    channels, destination, to.channel);
            else
                clear(destination, to.channel, segments * channels);
        }
    }
}

/* States ------------------------------------------------------------------------------
 */

/* Address of a row of a state in the caller's tensor. */
static float *state_of(const lstm_batch *batch, const lstm_tensor *tensor, size_t index,
                       size_t row)
{
    return tensor->data + (ptrdiff_t)index * tensor->strides[0] +
           (ptrdiff_t)lstm_batch_caller_row(batch, row) * tensor->strides[1];
}

void lstm_state_in(const lstm_batch *batch, const lstm_range *range,
                   const lstm_tensor *from, size_t index, size_t channels, bool operand,
                   float *to)
{
    const lstm_blocked *blocked = &batch->blocked;
    size_t blocks = lstm_blocks(channels);
    for (size_t row = range->copy_start; row < range->copy_end; row++) {
        size_t offset = lstm_blocked_row(blocked, 0, row, blocks);
        if (from)
            lstm_blocked_row_in(blocked, state_of(batch, from, index, row),
                                from->strides[2], 1, channels, to + offset);
        else
            lstm_blocked_row_clear(blocked, false, to, offset, blocks);
    }
    if (operand)
        lstm_blocked_round(blocked, range->copy_start, range->copy_end, blocks, 0,
                           blocks, to);
}

void lstm_state_out(const lstm_batch *batch, const lstm_range *range, const float *from,
                    size_t start, size_t end, size_t channels, bool operand,
                    lstm_tensor *to, size_t index)
{
    const lstm_blocked *blocked = &batch->blocked;
    for (size_t row = range->copy_start; row < range->copy_end; row++) {
        size_t length = batch->lengths[row];
        if (length >= start && length <= end)
            lstm_blocked_row_out(
                blocked, operand, from,
                lstm_blocked_row(blocked, length - start, row, lstm_blocks(channels)),
                1, channels, state_of(batch, to, index, row), to->strides[2]);
    }
}

void lstm_first_state_out(const lstm_batch *batch, const lstm_range *range,
                          const float *from, size_t channels, bool operand,
                          lstm_tensor *to, size_t index)
{
    const lstm_blocked *blocked = &batch->blocked;
    for (size_t row = range->copy_start; row < range->copy_end; row++)
        lstm_blocked_row_out(blocked, operand, from,
                             lstm_blocked_row(blocked, 0, row, lstm_blocks(channels)),
                             1, channels, state_of(batch, to, index, row),
                             to->strides[2]);
}

void lstm_state_carry(const lstm_batch *batch, const lstm_range *range, float *states,
                      size_t steps, size_t blocks)
{
    const lstm_blocked *blocked = &batch->blocked;
    for (size_t row = range->copy_start; row < range->copy_end; row++)
        for (size_t block = 0; block < blocks; block++) {
            size_t offset = block * lstm_blocked_stride(blocked);
            memcpy(states + lstm_blocked_row(blocked, 0, row, blocks) + offset,
                   states + lstm_blocked_row(blocked, steps, row, blocks) + offset,
                   LSTM_BLOCK * sizeof(float));
        }
}

/* Reversal ----------------------------------------------------------------------------
 */

static void copy_blocks(const lstm_blocked *blocked, const lstm_reversal *copy,
                        size_t from, size_t to)
{
    bool rounded = lstm_blocked_rounded(blocked, copy->operand);
    for (size_t block = 0; block < copy->blocks; block++) {
        if (lstm_blocked_paired(blocked, copy->operand)) {
            float values[LSTM_BLOCK];
            lstm_block_from_pairs(copy->from, from, values);
            lstm_block_to_pairs(values, copy->to, to);
        } else if (copy->add) {
            for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
                copy->to[to + lane] += copy->from[from + lane];
        } else {
            memcpy(copy->to + to, copy->from + from, LSTM_BLOCK * sizeof(float));
            if (rounded && to / LSTM_BLOCK % 2 == 0)
                memset(copy->to + to + LSTM_BLOCK, 0, LSTM_BLOCK * sizeof(float));
        }
        from += lstm_blocked_stride(blocked);
        to += lstm_blocked_stride(blocked);
    }
}

void lstm_copy_reversed(const lstm_batch *batch, const lstm_range *range,
                        const lstm_reversal *copy)
{
    const lstm_blocked *blocked = &batch->blocked;
    size_t stride = lstm_blocked_stride(blocked);
    for (size_t row = range->copy_start; row < range->copy_end; row++) {
        size_t length = batch->lengths[row];
        for (size_t step = 0; step < length; step++) {
            size_t source = copy->keep_order ? step : length - 1 - step;
            copy_blocks(blocked, copy,
                        lstm_blocked_row(blocked, source, row, copy->from_blocks) +
                            copy->from_block * stride,
                        lstm_blocked_row(blocked, step, row, copy->to_blocks) +
                            copy->to_block * stride);
        }
    }
}
