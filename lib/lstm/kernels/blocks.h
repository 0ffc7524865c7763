/**
 * @file
 * Copies a row of channels to blocks of a group, and back; see kernels.h for the
 * layout.
 */
#ifndef LSTM_KERNELS_BLOCKS_H
#define LSTM_KERNELS_BLOCKS_H

#include <stddef.h>
#include <string.h>

#include "lib/lstm/kernels/kernels.h"

/** Copies channels with a stride to blocks, and pads the last block with zeros.
 */
static inline void lstm_row_to_blocks(const float *from, ptrdiff_t stride,
                                      size_t channels, float *to, size_t block_stride)
{
    for (size_t c = 0; c < channels; c += LSTM_BLOCK, to += block_stride) {
        size_t width = channels - c < LSTM_BLOCK ? channels - c : LSTM_BLOCK;
        if (width < LSTM_BLOCK)
            memset(to, 0, LSTM_BLOCK * sizeof(float));
        if (stride == 1)
            memcpy(to, from, width * sizeof(float));
        else
            for (size_t lane = 0; lane < width; lane++)
                to[lane] = from[(ptrdiff_t)lane * stride];
        from += (ptrdiff_t)width * stride;
    }
}

/** Copies blocks to channels. */
static inline void lstm_row_from_blocks(const float *from, size_t block_stride,
                                        size_t channels, float *to, ptrdiff_t stride)
{
    for (size_t c = 0; c < channels; c += LSTM_BLOCK, from += block_stride) {
        size_t width = channels - c < LSTM_BLOCK ? channels - c : LSTM_BLOCK;
        if (stride == 1 && width == LSTM_BLOCK)
            memcpy(to, from, LSTM_BLOCK * sizeof(float));
        else
            for (size_t lane = 0; lane < width; lane++)
                to[(ptrdiff_t)lane * stride] = from[lane];
        to += (ptrdiff_t)width * stride;
    }
}

#endif
