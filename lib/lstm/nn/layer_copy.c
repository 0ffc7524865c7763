/*
 * Tensors of the caller's into blocks and back, sequences turned round, dropout.
 *
 * Everything here works on the rows that a part owns, so parts need no barrier.
 */
#include <string.h>

#include "lib/common/mt19937.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

static size_t caller_row(const lstm_run *run, size_t row)
{
    return run->order ? run->order[row] : row;
}

/* Address of a row of a step in a blocked buffer. */
static size_t row_offset(const lstm_run *run, size_t step, size_t row, size_t blocks)
{
    size_t group = row / run->group_rows;
    return step * lstm_run_step(run, blocks) +
           (group * blocks * run->group_rows + row % run->group_rows) * LSTM_BLOCK;
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

static void row_out(const lstm_run *run, const float *from, size_t segments,
                    size_t channels, float *to, ptrdiff_t stride)
{
    for (size_t segment = 0; segment < segments; segment++) {
        lstm_row_from_blocks(from, lstm_run_stride(run), channels, to, stride);
        from += lstm_blocks(channels) * lstm_run_stride(run);
        to += (ptrdiff_t)channels * stride;
    }
}

void lstm_copy_in(const lstm_run *run, const lstm_part *part, const float *from,
                  ptrdiff_t step_stride, ptrdiff_t row_stride, ptrdiff_t stride,
                  size_t start, size_t end, size_t segments, size_t channels, float *to)
{
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        const float *source = from + (ptrdiff_t)caller_row(run, row) * row_stride;
        size_t last = run->lengths[row] < end ? run->lengths[row] : end;
        for (size_t step = start; step < last; step++)
            row_in(run, source + (ptrdiff_t)step * step_stride, stride, segments,
                   channels, to + row_offset(run, step - start, row, blocks));
    }
}

void lstm_copy_out(const lstm_run *run, const lstm_part *part, const float *from,
                   size_t start, size_t end, size_t segments, size_t channels,
                   float *to, ptrdiff_t step_stride, ptrdiff_t row_stride,
                   ptrdiff_t stride)
{
    size_t blocks = segments * lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        float *target = to + (ptrdiff_t)caller_row(run, row) * row_stride;
        for (size_t step = start; step < end; step++) {
            float *place = target + (ptrdiff_t)step * step_stride;
            if (step < run->lengths[row])
                row_out(run, from + row_offset(run, step - start, row, blocks),
                        segments, channels, place, stride);
            else
                for (size_t c = 0; c < segments * channels; c++)
                    place[(ptrdiff_t)c * stride] = 0;
        }
    }
}

void lstm_state_in(const lstm_run *run, const lstm_part *part, const lstm_tensor *from,
                   size_t index, size_t channels, float *to)
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
}

void lstm_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                    size_t start, size_t end, size_t channels, lstm_tensor *to,
                    size_t index)
{
    size_t blocks = lstm_blocks(channels);
    for (size_t row = part->copy_start; row < part->copy_end; row++) {
        size_t length = run->lengths[row];
        if (length < start || length > end)
            continue;
        row_out(run, from + row_offset(run, length - start, row, blocks), 1, channels,
                to->data + (ptrdiff_t)index * to->strides[0] +
                    (ptrdiff_t)caller_row(run, row) * to->strides[1],
                to->strides[2]);
    }
}

void lstm_first_state_out(const lstm_run *run, const lstm_part *part, const float *from,
                          size_t channels, lstm_tensor *to, size_t index)
{
    for (size_t row = part->copy_start; row < part->copy_end; row++)
        row_out(run, from + row_offset(run, 0, row, lstm_blocks(channels)), 1, channels,
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

static void copy_blocks(const lstm_run *run, const lstm_reversal *copy,
                        const float *from, float *to)
{
    for (size_t block = 0; block < copy->blocks; block++) {
        if (copy->add)
            for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
                to[lane] += from[lane];
        else
            memcpy(to, from, LSTM_BLOCK * sizeof(float));
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
                        copy->from + row_offset(run, source, row, copy->from_blocks) +
                            copy->from_block * stride,
                        copy->to + row_offset(run, step, row, copy->to_blocks) +
                            copy->to_block * stride);
        }
    }
}

/* Where the draws of a step start in a mask: PyTorch draws in the memory order of the
 * output, [T, N, D S], or of the packed sequences, which have only rows that count, in
 * an order of their own. */
void lstm_draw_masks(lstm_layer *layer, lstm_run *run)
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
                    uint64_t draw =
                        lstm_rng_next(layer->rng) & (((uint64_t)1 << 53) - 1);
                    mask[c] = (double)draw * 0x1p-53 < keep;
                }
                if (keep <= 0)
                    memset(mask, 0, channels);
            }
    }
}

void lstm_apply_mask(const lstm_layer *layer, const lstm_run *run,
                     const lstm_part *part, size_t index, float *values)
{
    float keep = (float)(1.0 - layer->config.dropout);
    float scale = keep > 0 ? 1.0f / keep : 0.0f;
    size_t state = layer->state, channels = layer->directions * state;
    size_t each = lstm_blocks(state), blocks = layer->directions * each;
    for (size_t row = part->copy_start; row < part->copy_end; row++)
        for (size_t step = 0; step < run->lengths[row]; step++) {
            const uint8_t *mask =
                run->mask[index] + (step * run->batch + row) * channels;
            float *value = values + row_offset(run, step, row, blocks);
            for (size_t c = 0; c < channels; c++) {
                size_t block = c / state * each + c % state / LSTM_BLOCK;
                value[block * lstm_run_stride(run) + c % state % LSTM_BLOCK] *=
                    mask[c] ? scale : 0.0f;
            }
        }
}
