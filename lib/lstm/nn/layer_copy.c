/*
 * Tensors of the caller's into blocks and back, sequences turned round, dropout.
 *
 * Everything here works on the rows that a part owns, so parts need no barrier.
 */
#include <string.h>

#include "lib/common/mt19937.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

static size_t caller_row(const lstm_run *run, size_t row)
{
    return run->order ? run->order[row] : row;
}

/* Offset of a row of a step in a blocked buffer. */
static size_t row_offset(const lstm_run *run, size_t step, size_t row, size_t blocks)
{
    size_t group = row / run->group_rows;
    return step * lstm_run_step(run, blocks) +
           (group * blocks * run->group_rows + row % run->group_rows) * LSTM_BLOCK;
}

/* Whether what products read lies in pairs. */
static bool paired(const lstm_run *run, bool operand)
{
    return operand && run->kernels->to_pairs;
}

/* A block of a row of pairs, offset as row_offset() gives it: of its group's rows the
 * first is even, so that of these 16 floats the row is even or odd. */
static void block_out_of_pairs(const float *values, size_t offset, float *to)
{
    size_t row = offset / LSTM_BLOCK % 2;
    lstm_pairs_get(values + offset - row * LSTM_BLOCK, row, to);
}

static void block_to_pairs(const float *from, float *values, size_t offset)
{
    size_t row = offset / LSTM_BLOCK % 2;
    lstm_pairs_put(values + offset - row * LSTM_BLOCK, row, from);
}

/* One row of channels into blocks, with zeros behind the last channel of a segment. */
static void row_in(const lstm_run *run, const float *from, ptrdiff_t stride,
                   size_t segments, size_t channels, float *to)
{
    for (size_t segment = 0; segment < segments; segment++) {
        lstm_row_to_blocks(from, stride, channels, to, lstm_run_stride(run));
        from += (ptrdiff_t)channels * stride;
        to += lstm_blocks(channels) * lstm_run_stride(run);
    }
}

/* The row at an offset of a blocked buffer, back. */
static void row_out(const lstm_run *run, bool pairs, const float *values, size_t offset,
                    size_t segments, size_t channels, float *to, ptrdiff_t stride)
{
    for (size_t segment = 0; segment < segments; segment++)
        for (size_t c = 0; c < channels; c += LSTM_BLOCK) {
            const float *block = values + offset;
            float numbers[LSTM_BLOCK];
            if (pairs) {
                block_out_of_pairs(values, offset, numbers);
                block = numbers;
            }
            size_t width = channels - c < LSTM_BLOCK ? channels - c : LSTM_BLOCK;
            lstm_row_from_blocks(block, 0, width, to, stride);
            offset += lstm_run_stride(run);
            to += (ptrdiff_t)width * stride;
        }
}

void lstm_copy_in(const lstm_run *run, const lstm_part *part, const float *from,
                  ptrdiff_t step_stride, ptrdiff_t row_stride, ptrdiff_t stride,
                  size_t start, size_t end, size_t segments, size_t channels,
                  bool operand, float *to)
{
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        const float *source = from + (ptrdiff_t)caller_row(run, row) * row_stride;
        size_t last = run->lengths[row] < end ? run->lengths[row] : end;
        for (size_t step = start; step < last; step++)
            row_in(run, source + (ptrdiff_t)step * step_stride, stride, segments,
                   channels, to + row_offset(run, step - start, row, blocks));
    }
    for (size_t step = start; paired(run, operand) && step < end; step++) {
        size_t active = lstm_run_active(run, step);
        lstm_run_to_pairs(run, part->copy_start,
                          active < part->copy_end ? active : part->copy_end, blocks, 0,
                          blocks, to + (step - start) * lstm_run_step(run, blocks));
    }
}

void lstm_copy_out(const lstm_run *run, const lstm_part *part, const float *from,
                   size_t start, size_t end, size_t segments, size_t channels,
                   bool operand, float *to, ptrdiff_t step_stride, ptrdiff_t row_stride,
                   ptrdiff_t stride)
{
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        float *target = to + (ptrdiff_t)caller_row(run, row) * row_stride;
        for (size_t step = start; step < end; step++) {
            float *place = target + (ptrdiff_t)step * step_stride;
            if (step < run->lengths[row])
                row_out(run, paired(run, operand), from,
                        row_offset(run, step - start, row, blocks), segments, channels,
                        place, stride);
            else
                for (size_t c = 0; c < segments * channels; c++)
                    place[(ptrdiff_t)c * stride] = 0;
        }
    }
}

void lstm_state_in(const lstm_run *run, const lstm_part *part, const lstm_tensor *from,
                   size_t index, size_t channels, bool operand, float *to)
{
    size_t blocks = lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        float *target = to + row_offset(run, 0, row, blocks);
        if (from)
            row_in(run,
                   from->data + (ptrdiff_t)index * from->strides[0] +
                       (ptrdiff_t)caller_row(run, row) * from->strides[1],
                   from->strides[2], 1, channels, target);
        else
            for (size_t block = 0; block < blocks; block++)
                memset(target + block * lstm_run_stride(run), 0,
                       LSTM_BLOCK * sizeof(float));
    }
    if (operand)
        lstm_run_to_pairs(run, part->copy_start, part->copy_end, blocks, 0, blocks, to);
}

void lstm_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                    size_t start, size_t end, size_t channels, bool operand,
                    lstm_tensor *to, size_t index)
{
    size_t blocks = lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        size_t length = run->lengths[row];
        if (length < start || length > end)
            continue;
        row_out(run, paired(run, operand), from,
                row_offset(run, length - start, row, blocks), 1, channels,
                to->data + (ptrdiff_t)index * to->strides[0] +
                    (ptrdiff_t)caller_row(run, row) * to->strides[1],
                to->strides[2]);
    }
}

void lstm_first_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                          size_t channels, lstm_tensor *to, size_t index)
{
    for (size_t row = part->copy_start; row < part->copy_end; row++)
        row_out(run, false, from, row_offset(run, 0, row, lstm_blocks(channels)), 1,
                channels,
                to->data + (ptrdiff_t)index * to->strides[0] +
                    (ptrdiff_t)caller_row(run, row) * to->strides[1],
                to->strides[2]);
}

void lstm_state_carry(const lstm_run *run, const lstm_part *part, float *states,
                      size_t steps, size_t blocks)
{
    for (size_t row = part->copy_start; row < part->copy_end; row++)
        for (size_t block = 0; block < blocks; block++) {
            size_t place = block * lstm_run_stride(run);
            memcpy(states + row_offset(run, 0, row, blocks) + place,
                   states + row_offset(run, steps, row, blocks) + place,
                   LSTM_BLOCK * sizeof(float));
        }
}

static void copy_blocks(const lstm_run *run, const lstm_reversal *copy, size_t from,
                        size_t to)
{
    for (size_t block = 0; block < copy->blocks; block++) {
        if (paired(run, copy->operand)) {
            float numbers[LSTM_BLOCK];
            block_out_of_pairs(copy->from, from, numbers);
            block_to_pairs(numbers, copy->to, to);
        } else if (copy->add) {
            for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
                copy->to[to + lane] += copy->from[from + lane];
        } else {
            memcpy(copy->to + to, copy->from + from, LSTM_BLOCK * sizeof(float));
        }
        from += lstm_run_stride(run);
        to += lstm_run_stride(run);
    }
}

void lstm_copy_reversed(const lstm_run *run, const lstm_part *part,
                        const lstm_reversal *copy)
{
    size_t stride = lstm_run_stride(run);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        size_t length = run->lengths[row];
        for (size_t step = 0; step < length; step++) {
            size_t source = copy->straight ? step : length - 1 - step;
            copy_blocks(run, copy,
                        row_offset(run, source, row, copy->from_blocks) +
                            copy->from_block * stride,
                        row_offset(run, step, row, copy->to_blocks) +
                            copy->to_block * stride);
        }
    }
}

/* Where the draws of a step start in a mask: PyTorch draws in the memory order of the
 * output, [T, N, D S], or of the packed sequences, which have only rows that count, in
 * an order of their own. */
void lstm_draw_masks(const lstm_layer *layer, lstm_run *run, lstm_rng *rng)
{
    const double keep = 1.0 - layer->config.dropout;
    size_t channels = layer->directions * layer->state;
    for (size_t l = 0; l + 1 < layer->config.layers; l++) {
        if (!run->mask[l])
            continue;
        for (size_t step = 0; step < run->steps; step++)
            for (size_t k = 0; k < run->active[step]; k++) {
                size_t row = run->order ? run->draws[k] : k;
                uint8_t *mask = run->mask[l] + (step * run->batch + row) * channels;
                for (size_t c = 0; c < channels && keep > 0; c++) {
                    uint64_t draw = lstm_rng_next(rng) & (((uint64_t)1 << 53) - 1);
                    mask[c] = (double)draw * 0x1p-53 < keep;
                }
                if (keep <= 0)
                    memset(mask, 0, channels);
            }
    }
}

/* One block of a row times its mask. */
static void mask_block(float *block, const uint8_t *mask, size_t width, float scale)
{
    for (size_t lane = 0; lane < width; lane++)
        block[lane] *= mask[lane] ? scale : 0.0f;
}

void lstm_apply_mask(const lstm_layer *layer, const lstm_run *run,
                     const lstm_part *part, size_t index, bool operand, float *values)
{
    float keep = (float)(1.0 - layer->config.dropout);
    float scale = keep > 0 ? 1.0f / keep : 0.0f;
    size_t state = layer->state, channels = layer->directions * state;
    size_t each = lstm_blocks(state), blocks = layer->directions * each;
    for (size_t row = part->copy_start; row < part->copy_end; row++)
        for (size_t step = 0; step < run->lengths[row]; step++) {
            const uint8_t *mask =
                run->mask[index] + (step * run->batch + row) * channels;
            size_t offset = row_offset(run, step, row, blocks);
            for (size_t b = 0; b < blocks; b++, offset += lstm_run_stride(run)) {
                size_t first = b % each * LSTM_BLOCK, left = state - first;
                size_t width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
                float numbers[LSTM_BLOCK];
                if (paired(run, operand)) {
                    block_out_of_pairs(values, offset, numbers);
                    mask_block(numbers, mask + b / each * state + first, width, scale);
                    block_to_pairs(numbers, values, offset);
                } else {
                    mask_block(values + offset, mask + b / each * state + first, width,
                               scale);
                }
            }
        }
}
