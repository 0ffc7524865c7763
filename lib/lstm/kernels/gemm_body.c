/*
 * Product of matrices, c = a b or c += a b (see gemm.h).
 *
 * A tile of c, as large as in product_body.c, stays in registers during the loop over
 * k. The depth is divided into parts, and the columns into panels as wide as a tile. A
 * part of a panel of b is copied to the stack and padded with zeros to whole vectors.
 * It stays in the first-level cache for all rows of a, and the part of a stays in the
 * second-level cache for all panels. Between parts the sums are in c, so each of them
 * remains one chain. With parts each part has a chain of its own, which is added to c.
 */
#include <string.h>

#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/tile.h"

enum {
    PANEL_COLUMNS = PRODUCT_VECTORS * LANES,
    /* Width of the last panel if it has few columns. */
    NARROW_VECTORS = PRODUCT_VECTORS / 2,
    /* The largest panel, with AVX-512, is 16 KiB: half of a first-level cache. */
    PART_DEPTH = 128
};

/* A part of a panel of b: columns from column on, k from k0 on. */
typedef struct BODY(gemm_panel) {
    vf b[PART_DEPTH][PRODUCT_VECTORS];
    size_t column, columns, k0, depth;
} BODY(gemm_panel);

/* acc += a b over a part. step is the stride of k in a, passed as a constant when it is
 * 1. */
INLINE void gemm_accumulate(vf *acc, size_t rows, size_t vectors, const float *a,
                            size_t a_stride, size_t step,
                            const BODY(gemm_panel) * panel)
{
    for (size_t k = 0; k < panel->depth; k++, a += step)
        rank1_update(acc, rows, vectors, a, a_stride, (const float *)panel->b[k], BLOCK,
                     false);
}

/* acc = the tile of c, whose rows have columns. */
INLINE void gemm_load(vf *acc, size_t rows, size_t vectors, const float *c,
                      size_t stride, size_t columns)
{
    bool whole = columns == vectors * LANES;
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        if (whole)
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                v_loadu(c + r * stride + v * LANES);
        else
            memcpy(&acc[r * vectors], c + r * stride, columns * sizeof(float));
    }
}

/* The tile of c = acc. */
INLINE void gemm_store(const vf *acc, size_t rows, size_t vectors, float *c,
                       size_t stride, size_t columns)
{
    bool whole = columns == vectors * LANES;
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        if (whole)
            UNROLL for (size_t v = 0; v < vectors; v++)
                v_storeu(c + r * stride + v * LANES, acc[r * vectors + v]);
        else
            memcpy(c + r * stride, &acc[r * vectors], columns * sizeof(float));
    }
}

/* acc = the tile of c + acc. */
INLINE void gemm_add(vf *acc, size_t rows, size_t vectors, const float *c,
                     size_t stride, size_t columns)
{
    vf sum[PRODUCT_ROWS * PRODUCT_VECTORS] = {{0}};
    gemm_load(sum, rows, vectors, c, stride, columns);
    UNROLL for (size_t i = 0; i < rows * vectors; i++) acc[i] = sum[i] + acc[i];
}

/* One tile: rows of c times a part of a panel. */
INLINE void gemm_tile(const lstm_product *p, const BODY(gemm_panel) * panel, size_t row,
                      size_t rows, size_t vectors)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS] = {{0}};
    const float *a = p->a + row * p->a_stride + panel->k0 * p->a_k_stride;
    float *c = p->c + row * p->c_stride + panel->column;
    bool add = p->add || panel->k0 > 0;
    if (add && !p->parts)
        gemm_load(acc, rows, vectors, c, p->c_stride, panel->columns);
    if (p->a_k_stride == 1)
        gemm_accumulate(acc, rows, vectors, a, p->a_stride, 1, panel);
    else
        gemm_accumulate(acc, rows, vectors, a, p->a_stride, p->a_k_stride, panel);
    if (add && p->parts)
        gemm_add(acc, rows, vectors, c, p->c_stride, panel->columns);
    gemm_store(acc, rows, vectors, c, p->c_stride, panel->columns);
}

static void BODY(gemm_fill_panel)(BODY(gemm_panel) * panel, const lstm_product *p)
{
    const float *b = p->b + panel->k0 * p->b_stride + panel->column;
    for (size_t k = 0; k < panel->depth; k++, b += p->b_stride) {
        if (panel->columns < PANEL_COLUMNS)
            memset(panel->b[k], 0, sizeof(panel->b[k]));
        memcpy(panel->b[k], b, panel->columns * sizeof(float));
    }
}

static void BODY(gemm)(const lstm_product *p)
{
    BODY(gemm_panel) panel;
    for (size_t k = 0; k < p->depth; k += PART_DEPTH)
        for (size_t j = 0; j < p->columns; j += PANEL_COLUMNS) {
            size_t left = p->columns - j;
            panel.column = j;
            panel.columns = left < PANEL_COLUMNS ? left : PANEL_COLUMNS;
            panel.k0 = k;
            panel.depth = p->depth - k < PART_DEPTH ? p->depth - k : PART_DEPTH;
            BODY(gemm_fill_panel)(&panel, p);
#define FULL(n)   gemm_tile(p, &panel, row, n, PRODUCT_VECTORS)
#define NARROW(n) gemm_tile(p, &panel, row, n, NARROW_VECTORS)
            if (panel.columns > NARROW_VECTORS * LANES)
                FOR_TILES(p->rows, PRODUCT_ROWS, 1, FULL)
            else
                FOR_TILES(p->rows, PRODUCT_ROWS, 1, NARROW)
#undef FULL
#undef NARROW
        }
}
