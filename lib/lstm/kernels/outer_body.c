/*
 * Weight gradients: sums of outer products over time and batch.
 *
 * A tile of gates by inputs stays in registers while the sum runs over all rows of some
 * time steps, so that it is loaded and stored once per that many; every element is one
 * chain of fused multiply-adds over time, then rows. Threads own tiles: there is
 * nothing to reduce, and the sums do not depend on how many threads there are.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"

INLINE void outer_tile(const lstm_outer *job, size_t gate, size_t gates, size_t vectors)
{
    vf acc[OUTER_ROWS * PRODUCT_VECTORS];
    float *tile = job->tile + gate * vectors * LANES;
    UNROLL for (size_t i = 0; i < gates * vectors; i++) acc[i] =
        job->first ? v_zero() : v_load(tile + i * LANES);
    /* The same part of the next tile: it comes from the third level cache. */
    UNROLL for (size_t i = 0; i < gates * vectors; i += BLOCK_VECTORS)
        PREFETCH_WRITE(tile + (BLOCK * vectors + i) * LANES);
    size_t ahead = gate == 0 ? job->ahead : 0;
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group = job->a + step * job->a_step + gate;
        const float *b_group = job->b + step * job->b_step;
        for (size_t left = job->rows[step]; left > 0;) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            const float *a = a_group, *b = b_group;
            for (size_t r = 0; ahead && r < rows; r++)
                PREFETCH(a_group + ahead + r * BLOCK);
            _Pragma("GCC unroll 4") for (size_t r = 0; r < rows;
                                         r++, a += BLOCK, b += BLOCK)
            {
                vf line[PRODUCT_VECTORS];
                UNROLL for (size_t v = 0; v < vectors; v++) line[v] = v_load(
                    b + v / BLOCK_VECTORS * job->stride + v % BLOCK_VECTORS * LANES);
                UNROLL for (size_t g = 0; g < gates; g++)
                {
                    vf number = v_splat(a[g]);
                    UNROLL for (size_t v = 0; v < vectors; v++) acc[g * vectors + v] =
                        v_fma(number, line[v], acc[g * vectors + v]);
                }
            }
            a_group += job->a_group;
            b_group += job->b_group;
            left -= rows;
        }
    }
    UNROLL for (size_t i = 0; i < gates * vectors; i++)
        v_store(tile + i * LANES, acc[i]);
}

static void BODY(outer)(const lstm_outer *job)
{
    enum {
        PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS,
        REST = BLOCK % OUTER_ROWS,
        WHOLE = BLOCK - REST
    };
    for (size_t gate = 0; gate < WHOLE && gate < job->wanted; gate += OUTER_ROWS) {
        if (job->blocks == PANEL_BLOCKS)
            outer_tile(job, gate, OUTER_ROWS, PRODUCT_VECTORS);
        else
            outer_tile(job, gate, OUTER_ROWS, BLOCK_VECTORS);
    }
    if (REST > 0 && job->wanted > WHOLE) {
        if (job->blocks == PANEL_BLOCKS)
            outer_tile(job, WHOLE, REST, PRODUCT_VECTORS);
        else
            outer_tile(job, WHOLE, REST, BLOCK_VECTORS);
    }
}

/* Four chains, row r of a group in chain r mod 4, added at the end in one order. */
static void BODY(outer_bias)(const lstm_outer *job, float *sums)
{
    enum { CHAINS = 4 };
    vf acc[CHAINS][BLOCK_VECTORS] = {{{0}}};
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group = job->a + step * job->a_step;
        for (size_t left = job->rows[step]; left > 0; a_group += job->a_group) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            for (size_t r = 0; r < rows; r++)
                UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++) acc[r % CHAINS][v] +=
                    v_load(a_group + r * BLOCK + v * LANES);
            left -= rows;
        }
    }
    UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
    {
        vf sum = (acc[0][v] + acc[1][v]) + (acc[2][v] + acc[3][v]);
        v_store(sums + v * LANES, job->first ? sum : v_load(sums + v * LANES) + sum);
    }
}
