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

INLINE void product_load(vf *acc, const lstm_panel_product *job, size_t row,
                         size_t rows, size_t vectors)
{
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        acc[r * vectors + v] = v_load(out_vector(job->out, job->stride, row + r, v));
}

/* One tile. With parts it is one chain, which is added to out. */
INLINE void product_tile(const lstm_panel_product *job, size_t row, size_t rows,
                         size_t vectors, int form)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS] = {{0}};
    if (job->accumulate && !job->parts)
        product_load(acc, job, row, rows, vectors);
    multiply(acc, rows, vectors, job->a, row, job->stride, (const float *)job->weights,
             job->prefetch, form);
    if (job->accumulate && job->parts) {
        vf before[PRODUCT_ROWS * PRODUCT_VECTORS];
        product_load(before, job, row, rows, vectors);
        UNROLL for (size_t i = 0; i < rows * vectors; i++) acc[i] = before[i] + acc[i];
    }
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        v_store(out_vector(job->out, job->stride, row + r, v), acc[r * vectors + v]);
}

INLINE void multiply_panel(const lstm_panel_product *job, int form)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
#define FULL(n)   product_tile(job, row, n, PRODUCT_VECTORS, form)
#define NARROW(n) product_tile(job, row, n, BLOCK_VECTORS, form)
    if (job->blocks == PANEL_BLOCKS)
        FOR_TILES(job->rows, PRODUCT_ROWS, form == PAIRS ? 2 : 1, FULL)
    else
        FOR_TILES(job->rows, PRODUCT_ROWS, form == PAIRS ? 2 : 1, NARROW)
#undef FULL
#undef NARROW
}

/* A product of all channels, or with parts of one part after the other. */
INLINE void multiply_parts(const lstm_panel_product *job, int form)
{
    lstm_panel_product part = *job;
    size_t most = job->a.channels;
    if (job->parts) {
        part.a.segments = 1;
        most = LSTM_PART_CHANNELS;
    }
    for (size_t done = 0; done < job->a.segments; done += part.a.segments)
        for (size_t left = job->a.channels; left > 0; left -= part.a.channels) {
            part.a.channels = left < most ? left : most;
            multiply_panel(&part, form);
            part.accumulate = true;
            part.a.data += (part.a.channels + BLOCK - 1) / BLOCK * job->stride;
            part.weights += packed_depth(part.a.channels, form) * job->blocks * BLOCK;
        }
}

#if KERNEL_TABLES & FLOATS
static void BODY(product)(const lstm_panel_product *job)
{
    multiply_parts(job, FLOATS);
}
#endif

#if KERNEL_TABLES & PAIRS
static void BODY(pair_product)(const lstm_panel_product *job)
{
    multiply_parts(job, PAIRS);
}
#endif

#if KERNEL_TABLES & WIDE
static void BODY(wide_product)(const lstm_panel_product *job)
{
    multiply_parts(job, WIDE);
}
#endif
