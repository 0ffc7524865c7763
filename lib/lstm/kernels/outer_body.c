/*
 * Weight gradients: sums of outer products over time and batch.
 *
 * A tile of gates by inputs stays in registers, part by part, while the sum runs over a
 * piece of the rows of some time steps, so that it is loaded and stored once per that
 * many; every element is one chain of fused multiply-adds over time, then rows. Threads
 * own tiles: there is nothing to reduce, and the sums do not depend on how many threads
 * there are.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"
#include "lib/lstm/kernels/simd_pairs.h"

/* Rows gate to gate + gates - 1 of a tile of that many blocks, a constant where speed
 * counts; its vectors from block on. The first piece of rows fetches ahead. */
INLINE void outer_tile(const lstm_outer *job, size_t gate, size_t gates, size_t block,
                       size_t vectors, size_t blocks, bool fetch, bool pairs)
{
    vf acc[OUTER_ROWS * PRODUCT_VECTORS];
    size_t width = blocks * BLOCK, step_rows = pairs ? 2 : 1;
    size_t start = pairs ? PAIR_ROWS : 0;
    float *tile = job->tile + gate * width + block * BLOCK;
    UNROLL for (size_t g = 0; g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v++) acc[g * vectors + v] =
            job->first ? v_zero() : v_load(tile + g * width + v * LANES);
    /* The same part of the next tile: it comes from the third level cache. */
    UNROLL for (size_t g = 0; fetch && g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v += BLOCK_VECTORS)
            PREFETCH_WRITE(tile + (BLOCK + g) * width + v * LANES);
    size_t ahead = gate == 0 && block == 0 ? job->prefetch : 0;
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group = job->a + step * job->a_step_stride + start + gate;
        const float *b_group =
            job->b + step * job->b_step_stride + start + block * job->stride;
        for (size_t left = job->rows[step]; left > 0;) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            const float *a = a_group, *b = b_group;
            for (size_t r = 0; ahead && r < rows; r += step_rows)
                PREFETCH(a_group + ahead + r * BLOCK);
            UNROLL_ROWS for (size_t r = 0; r < rows; r += step_rows,
                                                     a += step_rows * BLOCK,
                                                     b += step_rows * BLOCK)
                multiply_line(acc, gates, vectors, a, 1, b, job->stride, pairs);
            a_group += job->a_group_stride;
            b_group += job->b_group_stride;
            left -= rows;
        }
    }
    UNROLL for (size_t g = 0; g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v++)
            v_store(tile + g * width + v * LANES, acc[g * vectors + v]);
}

/* All of the tile over a piece of the rows. */
INLINE void outer_piece(const lstm_outer *job, size_t blocks, bool fetch, bool pairs)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
    for (size_t block = 0; block < blocks; block += PANEL_BLOCKS) {
#define WIDE(n)   outer_tile(job, row, n, block, PRODUCT_VECTORS, blocks, fetch, pairs)
#define NARROW(n) outer_tile(job, row, n, block, BLOCK_VECTORS, blocks, fetch, pairs)
        if (blocks - block >= PANEL_BLOCKS)
            FOR_TILES(job->tile_rows, OUTER_ROWS, 1, WIDE)
        else
            FOR_TILES(job->tile_rows, OUTER_ROWS, 1, NARROW)
#undef WIDE
#undef NARROW
    }
}

/* Steps of the next piece: as many as have OUTER_PIECE rows of the batch, at least one.
 */
static size_t outer_steps(const lstm_outer *job)
{
    size_t rows = job->rows[0], steps = 1;
    while (steps < job->steps && rows + job->rows[steps] <= OUTER_PIECE)
        rows += job->rows[steps++];
    return steps;
}

INLINE void add_outer(const lstm_outer *job, bool pairs)
{
    lstm_outer piece = *job;
    for (size_t left = job->steps; left > 0; left -= piece.steps) {
        piece.steps = left;
        piece.steps = outer_steps(&piece);
        bool fetch = left == job->steps;
        if (job->blocks == OUTER_BLOCKS)
            outer_piece(&piece, OUTER_BLOCKS, fetch, pairs);
        else
            outer_piece(&piece, job->blocks, fetch, pairs);
        piece.a += piece.steps * job->a_step_stride;
        piece.b += piece.steps * job->b_step_stride;
        piece.rows += piece.steps;
        piece.first = false;
    }
}

static void BODY(outer)(const lstm_outer *job)
{
    add_outer(job, false);
}

/* Four chains, row r of a group in chain r mod 4, of pairs the pair; added at the end
 * in one order. Sums of pairs, whose numbers are rounded, are their products with 1. */
INLINE void sum_outer(const lstm_outer *job, float *sums, bool pairs)
{
    enum { CHAINS = 4 };
    const vf ones = v_splat(lstm_pair(lstm_bf16(1), lstm_bf16(1)));
    vf acc[CHAINS][BLOCK_VECTORS] = {{{0}}};
    size_t step_rows = pairs ? 2 : 1;
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group =
            job->a + step * job->a_step_stride + (pairs ? PAIR_ROWS : 0);
        for (size_t left = job->rows[step]; left > 0; a_group += job->a_group_stride) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            for (size_t r = 0; r < rows; r += step_rows)
                UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                {
                    vf *chain = &acc[r / step_rows % CHAINS][v];
                    vf line = v_load(a_group + r * BLOCK + v * LANES);
                    *chain = pairs ? v_dot(*chain, line, ones) : *chain + line;
                }
            left -= rows;
        }
    }
    UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
    {
        vf sum = (acc[0][v] + acc[1][v]) + (acc[2][v] + acc[3][v]);
        v_store(sums + v * LANES, job->first ? sum : v_load(sums + v * LANES) + sum);
    }
}

static void BODY(outer_bias)(const lstm_outer *job, float *sums)
{
    sum_outer(job, sums, false);
}
