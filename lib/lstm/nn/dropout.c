/*
 * Dropout between layers: masks in PyTorch's order, and their application.
 */
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/mt19937.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/nn/copy.h"

static void draw_row(lstm_rng *rng, double keep, size_t channels, uint8_t *mask)
{
    if (keep <= 0) {
        memset(mask, 0, channels);
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        uint64_t draw = lstm_rng_next(rng) & (((uint64_t)1 << 53) - 1);
        mask[c] = (double)draw * 0x1p-53 < keep;
    }
}

/* PyTorch draws in the memory order of the output [T, N, D*S], or of the packed
 * sequences, which have only active rows, in the order batch->draws. */
static void draw_layer(const lstm_tape *tape, double keep, size_t channels,
                       uint8_t *mask)
{
    const lstm_batch *batch = &tape->batch;
    for (size_t step = 0; step < batch->steps; step++)
        for (size_t k = 0; k < batch->active[step]; k++) {
            size_t row = batch->order ? batch->draws[k] : k;
            draw_row(tape->rng, keep, channels,
                     mask + (step * batch->blocked.rows + row) * channels);
        }
}

void lstm_draw_masks(const lstm_weights *weights, lstm_tape *tape)
{
    for (size_t l = 0; l + 1 < weights->config.layers; l++)
        if (tape->mask[l])
            draw_layer(tape, 1.0 - weights->config.dropout,
                       weights->directions * weights->state, tape->mask[l]);
}

/* Multiplies one block of a row by its mask. */
static void mask_block(float *block, const uint8_t *mask, size_t width, float scale)
{
    for (size_t lane = 0; lane < width; lane++)
        block[lane] *= mask[lane] ? scale : 0.0f;
}

static void round_block(float *block)
{
    for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
        block[lane] = lstm_bf16_float(lstm_bf16(block[lane]));
}

/* Multiplies the blocks of a row by its masks. */
static void mask_row(const lstm_weights *weights, const lstm_blocked *blocked,
                     const uint8_t *mask, bool operand, float *values, size_t offset)
{
    float keep = (float)(1.0 - weights->config.dropout);
    float scale = keep > 0 ? 1.0f / keep : 0.0f;
    size_t state = weights->state, each = lstm_blocks(state);
    bool pairs = lstm_blocked_paired(blocked, operand);
    bool rounded = lstm_blocked_rounded(blocked, operand);
    for (size_t b = 0; b < weights->directions * each; b++) {
        size_t first = b % each * LSTM_BLOCK, left = state - first;
        size_t width = common_smaller(left, LSTM_BLOCK);
        const uint8_t *masks = mask + b / each * state + first;
        float floats[LSTM_BLOCK];
        if (pairs)
            lstm_block_from_pairs(values, offset, floats);
        mask_block(pairs ? floats : values + offset, masks, width, scale);
        if (pairs)
            lstm_block_to_pairs(floats, values, offset);
        else if (rounded)
            round_block(values + offset);
        offset += lstm_blocked_stride(blocked);
    }
}

void lstm_apply_mask(const lstm_weights *weights, const lstm_tape *tape,
                     const lstm_range *range, size_t index, bool operand, float *values)
{
    const lstm_batch *batch = &tape->batch;
    const lstm_blocked *blocked = &batch->blocked;
    size_t channels = weights->directions * weights->state;
    size_t blocks = weights->directions * lstm_blocks(weights->state);
    for (size_t row = range->copy_start; row < range->copy_end; row++)
        for (size_t step = 0; step < batch->lengths[row]; step++)
            mask_row(weights, blocked,
                     tape->mask[index] + (step * blocked->rows + row) * channels,
                     operand, values, lstm_blocked_row(blocked, step, row, blocks));
}
