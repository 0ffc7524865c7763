/*
 * Weight gradients: sums of outer products over time and batch.
 *
 * Each element of a tile of gates by inputs is one chain of fused multiply-adds, over
 * time and then over rows of the batch. The tile is divided into parts that fit into
 * registers. Each part is computed for a chunk of steps, so that it is loaded and
 * stored once per chunk. A tile belongs to one thread: no reduction is needed, and the
 * sums do not depend on the number of threads.
 */
#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/kernels/simd_pairs.h"
#include "lib/lstm/kernels/tile.h"

/* Prefetches what a row of the next group reads into the first-level cache. */
INLINE void outer_fetch(const lstm_outer *job, const float *a, const float *b,
                        size_t vectors)
{
    PREFETCH_NEAR(a + job->a_group_stride);
    UNROLL for (size_t v = 0; v < vectors; v += BLOCK_VECTORS)
        PREFETCH_NEAR(block_vector(b + job->b_group_stride, job->stride, v));
}

/* Computes rows gate to gate + gates - 1 of a tile, and its vectors from block on.
 * blocks is a constant where speed matters. With fetch it prefetches the next tile. */
INLINE void outer_tile(const lstm_outer *job, size_t gate, size_t gates, size_t block,
                       size_t vectors, size_t blocks, bool fetch, int form)
{
    vf acc[OUTER_ROWS * PRODUCT_VECTORS];
    size_t width = blocks * BLOCK, k_rows = form == PAIRS ? 2 : 1;
    size_t start = form == PAIRS ? PAIR_OF_ROWS : 0, swap = form == WIDE ? 1 : 0;
    float *tile = job->tile + gate * width + block * BLOCK;
    UNROLL for (size_t g = 0; g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v++) acc[g * vectors + v] =
            job->first ? v_zero() : v_load(tile + g * width + v * LANES);
    /* The next tile is in the third-level cache. */
    UNROLL for (size_t g = 0; fetch && g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v += BLOCK_VECTORS)
            PREFETCH_WRITE(tile + (BLOCK + g) * width + v * LANES);
    size_t prefetch = gate == 0 && block == 0 ? job->prefetch : 0;
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group = job->a + step * job->a_step_stride + start + gate;
        const float *b_group =
            job->b + step * job->b_step_stride + start + block * job->stride;
        for (size_t left = job->rows[step]; left > 0;) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            rows += form == WIDE ? rows % 2 : 0;
            for (size_t r = 0; prefetch && r < rows; r += k_rows)
                PREFETCH(a_group + prefetch + r * BLOCK);
            UNROLL_ROWS for (size_t r = 0; r < rows; r += k_rows)
            {
                size_t at = (r ^ swap) * BLOCK;
                if (OUTER_FETCH)
                    outer_fetch(job, a_group + at, b_group + at, vectors);
                rank1_update(acc, gates, vectors, a_group + at, 1, b_group + at,
                             job->stride, form);
            }
            a_group += job->a_group_stride;
            b_group += job->b_group_stride;
            left -= rows < left ? rows : left;
        }
    }
    UNROLL for (size_t g = 0; g < gates; g++)
        UNROLL for (size_t v = 0; v < vectors; v++)
            v_store(tile + g * width + v * LANES, acc[g * vectors + v]);
}

/* The whole tile over a chunk of steps. */
INLINE void outer_steps(const lstm_outer *job, size_t blocks, bool fetch, int form)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
    for (size_t block = 0; block < blocks; block += PANEL_BLOCKS) {
#define FULL(n)   outer_tile(job, row, n, block, PRODUCT_VECTORS, blocks, fetch, form)
#define NARROW(n) outer_tile(job, row, n, block, BLOCK_VECTORS, blocks, fetch, form)
        if (blocks - block >= PANEL_BLOCKS)
            FOR_TILES(job->tile_rows, OUTER_ROWS, 1, FULL)
        else
            FOR_TILES(job->tile_rows, OUTER_ROWS, 1, NARROW)
#undef FULL
#undef NARROW
    }
}

/* Number of steps of the next chunk: at least one, and as many as have at most
 * OUTER_CHUNK rows of the batch together. */
static size_t chunk_steps(const lstm_outer *job)
{
    size_t rows = job->rows[0], steps = 1;
    while (steps < job->steps && rows + job->rows[steps] <= OUTER_CHUNK)
        rows += job->rows[steps++];
    return steps;
}

INLINE void add_outer(const lstm_outer *job, int form)
{
    lstm_outer chunk = *job;
    for (size_t left = job->steps; left > 0; left -= chunk.steps) {
        chunk.steps = left;
        chunk.steps = chunk_steps(&chunk);
        bool fetch = left == job->steps;
        if (job->blocks == OUTER_BLOCKS)
            outer_steps(&chunk, OUTER_BLOCKS, fetch, form);
        else
            outer_steps(&chunk, job->blocks, fetch, form);
        chunk.a += chunk.steps * job->a_step_stride;
        chunk.b += chunk.steps * job->b_step_stride;
        chunk.rows += chunk.steps;
        chunk.first = false;
    }
}

/* Sums rows in four chains: row r of a group, or in bfloat16 the pair r of rows, is in
 * chain r mod 4. The chains are added at the end in a fixed order. With pairs the sum
 * is a product with ones, so that it adds the rounded values. */
INLINE void sum_outer(const lstm_outer *job, float *sums, int form)
{
    enum { CHAINS = 4 };
    const vf ones = v_splat(lstm_pair(lstm_bf16(1), lstm_bf16(1)));
    vf acc[CHAINS][BLOCK_VECTORS] = {{{0}}};
    size_t k_rows = form == FLOATS ? 1 : 2;
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group =
            job->a + step * job->a_step_stride + (form == PAIRS ? PAIR_OF_ROWS : 0);
        for (size_t left = job->rows[step]; left > 0; a_group += job->a_group_stride) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            for (size_t r = 0; r < rows; r += k_rows)
                UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                {
                    vf *chain = &acc[r / k_rows % CHAINS][v];
                    vf values = v_load(a_group + r * BLOCK + v * LANES);
                    if (form == WIDE)
                        *chain = *chain + v_load(a_group + (r + 1) * BLOCK + v * LANES);
                    *chain =
                        form == PAIRS ? v_dot(*chain, values, ones) : *chain + values;
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

#if KERNEL_TABLES & FLOATS
static void BODY(outer)(const lstm_outer *job)
{
    add_outer(job, FLOATS);
}

static void BODY(outer_bias)(const lstm_outer *job, float *sums)
{
    sum_outer(job, sums, FLOATS);
}
#endif

#if KERNEL_TABLES & WIDE
static void BODY(wide_outer)(const lstm_outer *job)
{
    add_outer(job, WIDE);
}

static void BODY(wide_outer_bias)(const lstm_outer *job, float *sums)
{
    sum_outer(job, sums, WIDE);
}
#elif KERNEL_TABLES & PAIRS
static void BODY(pair_outer)(const lstm_outer *job)
{
    add_outer(job, PAIRS);
}

static void BODY(pair_outer_bias)(const lstm_outer *job, float *sums)
{
    sum_outer(job, sums, PAIRS);
}
#endif
