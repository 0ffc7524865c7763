/*
 * Products of rows of activations with packed weights.
 *
 * A tile of rows by vectors stays in registers while k runs over all channels: each k
 * loads the vectors of a line of weights and multiplies them with one number of each
 * row. Every output element is one chain of fused multiply-adds in the order of k,
 * whatever the tile, so all instruction sets give the same bits.
 *
 * pairs, a constant everywhere, says that the numbers are pairs of bfloat16 (see
 * pairs.h): a step of k is two channels then, and two multiply-adds.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"
#include "lib/lstm/kernels/simd_pairs.h"

_Static_assert(PRODUCT_ROWS % 2 == 0, "rows come in pairs");

INLINE vf multiply_add(vf a, vf b, vf sum, bool pairs)
{
    return pairs ? v_dot(sum, a, b) : v_fma(a, b, sum);
}

/* Steps of k over so many channels. */
INLINE size_t steps_of(size_t channels, bool pairs)
{
    return pairs ? (channels + 1) / 2 : channels;
}

/* Where a row starts that is so far below an even row, rows row_step apart. */
INLINE size_t row_place(size_t row, size_t row_step, bool pairs)
{
    return pairs && row_step == BLOCK ? PAIR_ROW(row) : row * row_step;
}

/* A vector of a row of blocks, block_step apart. */
INLINE const float *block_vector(const float *row, size_t block_step, size_t vector)
{
    return row + vector / BLOCK_VECTORS * block_step + vector % BLOCK_VECTORS * LANES;
}

/* acc[row][vector] += x[row] line[vector]: rows of x so far apart, and blocks of the
 * line. Of numbers and vectors the fewer are held while the others come one by one: 3
 * rows of 4 vectors are 12 sums, 3 numbers and 1 vector, which are all registers of
 * AVX2. */
INLINE void multiply_line(vf *acc, size_t rows, size_t vectors, const float *x,
                          size_t row_step, const float *line, size_t block_step,
                          bool pairs)
{
    vf held[8];
    if (rows < vectors) {
        UNROLL for (size_t r = 0; r < rows; r++) held[r] =
            v_splat(x[row_place(r, row_step, pairs)]);
        UNROLL for (size_t v = 0; v < vectors; v++)
        {
            vf part = v_load(block_vector(line, block_step, v));
            V_HOLD(part);
            UNROLL for (size_t r = 0; r < rows; r++) acc[r * vectors + v] =
                multiply_add(held[r], part, acc[r * vectors + v], pairs);
        }
    } else {
        UNROLL for (size_t v = 0; v < vectors; v++) held[v] =
            v_load(block_vector(line, block_step, v));
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            vf number = v_splat(x[row_place(r, row_step, pairs)]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                multiply_add(number, held[v], acc[r * vectors + v], pairs);
        }
    }
}

/* acc[row][vector] += sum over n steps of x[row][k] weights[k][vector]. */
INLINE const float *multiply_block(vf *acc, size_t rows, size_t vectors, const float *x,
                                   size_t n, const float *weights, bool pairs)
{
    UNROLL_STEPS for (size_t k = 0; k < n; k++, weights += vectors * LANES)
        multiply_line(acc, rows, vectors, x + k, BLOCK, weights, BLOCK, pairs);
    return weights;
}

/* Asks for so few lines that they arrive while a block of k is computed. */
INLINE void fetch_ahead(lstm_prefetch *ahead)
{
    enum { LINES = 4 };
    for (size_t i = 0; i < LINES && ahead->lines > 0; i++) {
        PREFETCH(ahead->address);
        ahead->address += BLOCK;
        ahead->lines--;
    }
}

/* The same over all channels of an operand; returns the end of the weights used. */
INLINE const float *multiply(vf *acc, size_t rows, size_t vectors, lstm_operand x,
                             size_t row, size_t stride, const float *weights,
                             lstm_prefetch *ahead, bool pairs)
{
    const float *block = x.data + row * BLOCK;
    for (size_t segment = 0; segment < x.segments; segment++) {
        size_t left = x.channels;
        for (; left >= BLOCK; left -= BLOCK, block += stride) {
            if (ahead)
                fetch_ahead(ahead);
            weights = multiply_block(acc, rows, vectors, block, steps_of(BLOCK, pairs),
                                     weights, pairs);
        }
        if (left) {
            weights = multiply_block(acc, rows, vectors, block, steps_of(left, pairs),
                                     weights, pairs);
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
                         size_t vectors, bool pairs)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        acc[r * vectors + v] =
            job->accumulate ? v_load(tile_address(job->out, job->stride, row + r, v))
                            : v_zero();
    multiply(acc, rows, vectors, job->a, row, job->stride, (const float *)job->weights,
             job->prefetch, pairs);
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        v_store(tile_address(job->out, job->stride, row + r, v), acc[r * vectors + v]);
}

/* Rows of the next tile when so many are left. The last two tiles share them where the
 * last would have less than half of a tile: its sums would be too few to hide the
 * latency of multiply-adds. All but the last have a multiple of unit. */
INLINE size_t tile_rows(size_t left, size_t most, size_t unit)
{
    if (left <= most)
        return left;
    return 2 * left >= 3 * most ? most : (left + 2 * unit - 1) / (2 * unit) * unit;
}

/* A case of FOR_TILES; none for sizes that a tile never has. */
#define TILE_CASE(n, most, tile)                                                       \
    case n:                                                                            \
        if ((n) < (most))                                                              \
            tile((n) < (most) ? (n) : (most));                                         \
        break

/* Runs tile(rows) from row on over all rows; each call has a constant size. */
#define FOR_TILES(rows, most, unit, tile)                                              \
    for (size_t row = 0, size; row < (rows); row += size) {                            \
        size = tile_rows((rows)-row, most, unit);                                      \
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

INLINE void multiply_panel(const lstm_panel_product *job, bool pairs)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
#define WIDE(n)   product_tile(job, row, n, PRODUCT_VECTORS, pairs)
#define NARROW(n) product_tile(job, row, n, BLOCK_VECTORS, pairs)
    if (job->blocks == PANEL_BLOCKS)
        FOR_TILES(job->rows, PRODUCT_ROWS, pairs ? 2 : 1, WIDE)
    else
        FOR_TILES(job->rows, PRODUCT_ROWS, pairs ? 2 : 1, NARROW)
#undef WIDE
#undef NARROW
}

static void BODY(product)(const lstm_panel_product *job)
{
    multiply_panel(job, false);
}
