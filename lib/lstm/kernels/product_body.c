/*
 * Products of rows of activations with packed weights; see tile.h.
 */
#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/tile.h"

_Static_assert(PRODUCT_ROWS % 2 == 0, "pairs of rows must not be divided");

/* The address of a vector of a row; vectors are counted through all blocks of a panel.
 */
INLINE float *out_vector(float *out, size_t stride, size_t row, size_t vector)
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
            job->accumulate ? v_load(out_vector(job->out, job->stride, row + r, v))
                            : v_zero();
    multiply(acc, rows, vectors, job->a, row, job->stride, (const float *)job->weights,
             job->prefetch, pairs);
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        v_store(out_vector(job->out, job->stride, row + r, v), acc[r * vectors + v]);
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

#if KERNEL_TABLES & FLOATS
static void BODY(product)(const lstm_panel_product *job)
{
    multiply_panel(job, false);
}
#endif

#if KERNEL_TABLES & PAIRS
static void BODY(pair_product)(const lstm_panel_product *job)
{
    multiply_panel(job, true);
}
#endif
