/*
 * Tiles: blocks of sums that stay in registers during the loop over k.
 *
 * A tile has rows * vectors accumulators. Each k is a rank-1 update: it loads the
 * vectors of one operand and multiplies them with one value of each row of the other.
 * Every output element is one chain of fused multiply-adds in the order of k, for any
 * size of the tile, so all instruction sets give the same bits.
 *
 * The argument form, a constant in each call, is the form of the operands: FLOATS, or
 * for bfloat16 PAIRS or WIDE (see pairs.h). One position of k of pairs holds two
 * channels and needs two multiply-adds. With WIDE the second of two channels is added
 * before the first, as with pairs.
 */
#ifndef LSTM_KERNELS_TILE_H
#define LSTM_KERNELS_TILE_H

#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"
#include "lib/lstm/kernels/simd_pairs.h"

INLINE vf multiply_add(vf a, vf b, vf sum, int form)
{
    return form == PAIRS ? v_dot(sum, a, b) : v_fma(a, b, sum);
}

/* Number of positions of k for the channels of one segment. */
INLINE size_t packed_depth(size_t channels, int form)
{
    if (form == PAIRS)
        return (channels + 1) / 2;
    return form == WIDE ? channels + channels % 2 : channels;
}

/* The offset of a row from an even row. The stride of rows is row_stride, except in
 * blocks of pairs. */
INLINE size_t row_offset(size_t row, size_t row_stride, int form)
{
    return form == PAIRS && row_stride == BLOCK ? PAIR_ROW(row) : row * row_stride;
}

/* A vector of a row of blocks. */
INLINE const float *block_vector(const float *row, size_t block_stride, size_t vector)
{
    return row + vector / BLOCK_VECTORS * block_stride + vector % BLOCK_VECTORS * LANES;
}

/* acc[row][vector] += a[row] b[vector]. It keeps the values of a or the vectors of b in
 * registers, whichever are fewer, and loads the others one by one: 3 rows of 4 vectors
 * need 12 sums, 3 values and 1 vector, which are all registers of AVX2. */
INLINE void rank1_update(vf *acc, size_t rows, size_t vectors, const float *a,
                         size_t row_stride, const float *b, size_t block_stride,
                         int form)
{
    vf held[8];
    if (rows < vectors) {
        UNROLL for (size_t r = 0; r < rows; r++) held[r] =
            v_splat(a[row_offset(r, row_stride, form)]);
        UNROLL for (size_t v = 0; v < vectors; v++)
        {
            vf vector = v_load(block_vector(b, block_stride, v));
            V_HOLD(vector);
            UNROLL for (size_t r = 0; r < rows; r++) acc[r * vectors + v] =
                multiply_add(held[r], vector, acc[r * vectors + v], form);
        }
    } else {
        UNROLL for (size_t v = 0; v < vectors; v++) held[v] =
            v_load(block_vector(b, block_stride, v));
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            vf value = v_splat(a[row_offset(r, row_stride, form)]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                multiply_add(value, held[v], acc[r * vectors + v], form);
        }
    }
}

/* acc[row][vector] += sum over k of a[row][k] weights[k][vector], for depth positions
 * of k that lie in one block of a. Returns the end of the weights. In the most frequent
 * tile of products a block has no loop: on processors whose multiply-adds and integer
 * additions share ports, backward through time takes 0.93 of the time. */
INLINE const float *multiply_block(vf *acc, size_t rows, size_t vectors, const float *a,
                                   size_t depth, const float *weights, int form)
{
    size_t swap = form == WIDE ? 1 : 0;
    if (rows == PRODUCT_ROWS && vectors == PRODUCT_VECTORS && depth == BLOCK) {
        UNROLL for (size_t k = 0; k < BLOCK; k++)
            rank1_update(acc, rows, vectors, a + (k ^ swap), BLOCK,
                         weights + k * vectors * LANES, BLOCK, form);
        return weights + BLOCK * vectors * LANES;
    }
    UNROLL_K for (size_t k = 0; k < depth; k++, weights += vectors * LANES)
        rank1_update(acc, rows, vectors, a + (k ^ swap), BLOCK, weights, BLOCK, form);
    return weights;
}

/* Prefetches a few lines, which arrive while a block of k is computed. */
INLINE void prefetch_some(lstm_prefetch *prefetch)
{
    enum { LINES = 4 };
    for (size_t i = 0; i < LINES && prefetch->lines > 0; i++) {
        PREFETCH(prefetch->address);
        prefetch->address += BLOCK;
        prefetch->lines--;
    }
}

/* multiply_block() over all channels of an operand. Returns the end of the weights. */
INLINE const float *multiply(vf *acc, size_t rows, size_t vectors, lstm_operand a,
                             size_t row, size_t stride, const float *weights,
                             lstm_prefetch *prefetch, int form)
{
    const float *block = a.data + row * BLOCK;
    for (size_t segment = 0; segment < a.segments; segment++) {
        size_t left = a.channels;
        for (; left >= BLOCK; left -= BLOCK, block += stride) {
            if (prefetch)
                prefetch_some(prefetch);
            weights = multiply_block(acc, rows, vectors, block,
                                     packed_depth(BLOCK, form), weights, form);
        }
        if (left) {
            weights = multiply_block(acc, rows, vectors, block,
                                     packed_depth(left, form), weights, form);
            block += stride;
        }
    }
    return weights;
}

/* Number of rows of the next tile when left rows are left. If the last tile had less
 * than half of the rows, its sums would be too few to hide the latency of
 * multiply-adds; the last two tiles then divide their rows evenly. All tiles except the
 * last have a multiple of unit. */
INLINE size_t next_tile_rows(size_t left, size_t most, size_t unit)
{
    if (left <= most)
        return left;
    return 2 * left >= 3 * most ? most : (left + 2 * unit - 1) / (2 * unit) * unit;
}

/* A case of FOR_TILES; it is empty for sizes that a tile never has. */
#define TILE_CASE(n, most, tile)                                                       \
    case n:                                                                            \
        if ((n) < (most))                                                              \
            tile((n) < (most) ? (n) : (most));                                         \
        break

/* Runs tile(size) for tiles from row on until all rows are done. size is a constant in
 * each call; most, the largest, is at most 8. */
#define FOR_TILES(rows, most, unit, tile)                                              \
    for (size_t row = 0, size; row < (rows); row += size) {                            \
        size = next_tile_rows((rows)-row, most, unit);                                 \
        if (size == (most)) {                                                          \
            tile(most);                                                                \
            continue;                                                                  \
        }                                                                              \
        switch (size) {                                                                \
            TILE_CASE(1, most, tile);                                                  \
            TILE_CASE(2, most, tile);                                                  \
            TILE_CASE(3, most, tile);                                                  \
            TILE_CASE(4, most, tile);                                                  \
            TILE_CASE(5, most, tile);                                                  \
            TILE_CASE(6, most, tile);                                                  \
            TILE_CASE(7, most, tile);                                                  \
        default:                                                                       \
            __builtin_unreachable();                                                   \
        }                                                                              \
    }

#endif
