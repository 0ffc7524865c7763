/*
 * Products of rows of activations with packed weights.
 *
 * A tile of rows by vectors stays in registers while k runs over all channels: each k
 * loads the vectors of a line of weights and multiplies them with one number of each
 * row. Every output element is one chain of fused multiply-adds in the order of k,
 * whatever the tile, so all instruction sets give the same bits.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"

/* acc[row][vector] += sum over n channels of x[row][k] weights[k][vector]. */
INLINE const float *multiply_block(vf *acc, size_t rows, size_t vectors, const float *x,
                                   size_t n, const float *weights)
{
    _Pragma("GCC unroll 8") for (size_t k = 0; k < n; k++, weights += vectors * LANES)
    {
        vf line[8];
        UNROLL for (size_t v = 0; v < vectors; v++) line[v] =
            v_load(weights + v * LANES);
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            vf number = v_splat(x[r * BLOCK + k]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                v_fma(number, line[v], acc[r * vectors + v]);
        }
    }
    return weights;
}

/* The same over all channels of an operand; returns the end of the weights used. */
INLINE const float *multiply(vf *acc, size_t rows, size_t vectors, lstm_operand x,
                             size_t row, size_t stride, const float *weights)
{
    const float *block = x.data + row * BLOCK;
    for (size_t segment = 0; segment < x.segments; segment++) {
        size_t left = x.channels;
        for (; left >= BLOCK; left -= BLOCK, block += stride)
            weights = multiply_block(acc, rows, vectors, block, BLOCK, weights);
        if (left) {
            weights = multiply_block(acc, rows, vectors, block, left, weights);
            block += stride;
        }
    }
    return weights;
}

/* Address of a vector of a tile: vectors run through the blocks of a panel. */
INLINE float *tile_address(float *out, size_t stride, size_t row, size_t vector)
{
    return out + vector / BLOCK_VECTORS * stride + row * BLOCK +
           vector % BLOCK_VECTORS * LANES;
}

INLINE void product_tile(const lstm_panel_product *job, size_t row, size_t rows,
                         size_t vectors)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        acc[r * vectors + v] =
            job->accumulate ? v_load(tile_address(job->out, job->stride, row + r, v))
                            : v_zero();
    multiply(acc, rows, vectors, job->a, row, job->stride, job->weights);
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        v_store(tile_address(job->out, job->stride, row + r, v), acc[r * vectors + v]);
}

/* Runs tile(row, rows) over all rows, its size a constant of each call. */
#define FOR_TILES(rows, most, tile)                                                    \
    for (size_t row = 0; row < (rows); row += (most)) {                                \
        switch ((rows)-row) {                                                          \
        case 1:                                                                        \
            tile(1);                                                                   \
            break;                                                                     \
        case 2:                                                                        \
            tile((most) < 2 ? (most) : 2);                                             \
            break;                                                                     \
        case 3:                                                                        \
            tile((most) < 3 ? (most) : 3);                                             \
            break;                                                                     \
        case 4:                                                                        \
            tile((most) < 4 ? (most) : 4);                                             \
            break;                                                                     \
        case 5:                                                                        \
            tile((most) < 5 ? (most) : 5);                                             \
            break;                                                                     \
        case 6:                                                                        \
            tile((most) < 6 ? (most) : 6);                                             \
            break;                                                                     \
        case 7:                                                                        \
            tile((most) < 7 ? (most) : 7);                                             \
            break;                                                                     \
        default:                                                                       \
            tile(most);                                                                \
        }                                                                              \
    }

static void BODY(product)(const lstm_panel_product *job)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
#define WIDE(n)   product_tile(job, row, n, PRODUCT_VECTORS)
#define NARROW(n) product_tile(job, row, n, BLOCK_VECTORS)
    if (job->blocks == PANEL_BLOCKS)
        FOR_TILES(job->rows, PRODUCT_ROWS, WIDE)
    else
        FOR_TILES(job->rows, PRODUCT_ROWS, NARROW)
#undef WIDE
#undef NARROW
}
