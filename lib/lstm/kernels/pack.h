/**
 * @file
 * Packing: copies weights from PyTorch's layout into the panels that kernels read.
 *
 * The panel of a cell is, for each group of cell_units hidden units, [k][i units, f
 * units, g units, o units]; k runs over the channels of the input, then over those of
 * h. The panel of a product is [k][columns of its blocks]. Positions past the last unit
 * or channel are zero. In a table of bfloat16, one position of k holds two neighbouring
 * channels of a segment; the second is zero if the segment ends. In a wide table, which
 * holds them as two floats, the second comes before the first. In a table of int8, it
 * holds four of them; see bytes.h.
 */
#ifndef LSTM_KERNELS_PACK_H
#define LSTM_KERNELS_PACK_H

#include <stddef.h>

#include "lib/lstm/kernels/kernels.h"

/** Weights of the four gates: [4 * hidden][segments * channels]. */
typedef struct lstm_gate_matrix {
    const float *data;
    size_t hidden, segments, channels;
} lstm_gate_matrix;

/** A matrix of a product: element (k, column) is at
 *  data[k * k_stride + column * column_stride]; both axes consist of segments of
 *  channels. */
typedef struct lstm_matrix {
    const float *data;
    size_t k_segments, k_channels, k_stride, column_stride;
    size_t segments, channels;
} lstm_matrix;

/** Packs all k of cell_units hidden units from unit on, which may be past the last one,
 *  into [packed depth][4][cell_units]. */
void lstm_pack_gates(const lstm_kernels *kernels, const lstm_gate_matrix *from,
                     size_t unit, lstm_packed *to);

/** Adds the two biases [4 * hidden] of a block of hidden units into [4][16]; both NULL
 *  for zeros. */
void lstm_pack_bias(const float *bias_ih, const float *bias_hh, size_t hidden,
                    size_t block, float *to);

/** Writes the scales of the rows of a block of hidden units into [4][16], zero past the
 * last unit: for a table of int8. */
void lstm_pack_gate_scales(const lstm_gate_matrix *from, size_t block, float *to);

/** Writes the scales of blocks of columns from block on into [blocks][16], zero past
 * the last column: for a table of int8. Its k has stride 1. */
void lstm_pack_scales(const lstm_matrix *from, size_t block, size_t blocks, float *to);

/** Packs all k of a panel: blocks of columns from block on. */
void lstm_pack_panel(const lstm_kernels *kernels, const lstm_matrix *from, size_t block,
                     size_t blocks, lstm_packed *to);

#endif
