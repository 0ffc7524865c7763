/*
 * Product of matrices, c (+)= a b (see gemm.h).
 *
 * A tile of c, as large as those of product_body.c, stays in registers while k runs.
 * The depth is walked in pieces and, within one, the columns in panels of a tile's
 * width: the piece of a panel of b is copied to the stack, padded with zeros to whole
 * vectors, and serves all rows of a from the first-level cache, while the piece of a
 * serves all panels from the second. Between pieces the sums wait in c, which keeps
 * each of them one chain. The file is included by each set's own source, which defines
 * BODY(name).
 */
#include <string.h>

#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/simd.h"

enum {
    PANEL_COLUMNS = PRODUCT_VECTORS * LANES,
    /* Of the last panel, when they hold its columns. */
    NARROW_VECTORS = PRODUCT_VECTORS / 2,
    /* The largest panel, of AVX-512, is 16 KiB: half of a first-level cache. */
    PIECE = 128
};

/* What a panel of b meets: columns of c from column on, depth of the piece from k0. */
typedef struct BODY(gemm_panel) {
    vf b[PIECE][PRODUCT_VECTORS];
    size_t column, columns, k0, depth;
} BODY(gemm_panel);

/* acc += a b over a piece for rows of a; step is that of a, where it is known. */
INLINE void gemm_accumulate(vf *acc, size_t rows, size_t vectors, const float *a,
                            size_t a_row, size_t step, const BODY(gemm_panel) * panel)
{
    for (size_t k = 0; k < panel->depth; k++, a += step)
        multiply_line(acc, rows, vectors, a, a_row, (const float *)panel->b[k], BLOCK,
                      false);
}

/* Rows of c that a tile has in registers, against one panel. */
INLINE void gemm_tile(const lstm_product *p, const BODY(gemm_panel) * panel, size_t row,
                      size_t rows, size_t vectors)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS] = {{0}};
    const float *a = p->a + row * p->a_row + panel->k0 * p->a_step;
    float *c = p->c + row * p->c_row + panel->column;
    bool whole = panel->columns == vectors * LANES, add = p->add || panel->k0 > 0;
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        if (add && whole)
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                v_loadu(c + r * p->c_row + v * LANES);
        else if (add)
            memcpy(&acc[r * vectors], c + r * p->c_row, panel->columns * sizeof(float));
    }
    if (p->a_step == 1)
        gemm_accumulate(acc, rows, vectors, a, p->a_row, 1, panel);
    else
        gemm_accumulate(acc, rows, vectors, a, p->a_row, p->a_step, panel);
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        if (whole)
            UNROLL for (size_t v = 0; v < vectors; v++)
                v_storeu(c + r * p->c_row + v * LANES, acc[r * vectors + v]);
        else
            memcpy(c + r * p->c_row, &acc[r * vectors], panel->columns * sizeof(float));
    }
}

static void BODY(gemm_fill_panel)(BODY(gemm_panel) * panel, const lstm_product *p)
{
    const float *b = p->b + panel->k0 * p->b_row + panel->column;
    for (size_t k = 0; k < panel->depth; k++, b += p->b_row) {
        if (panel->columns < PANEL_COLUMNS)
            memset(panel->b[k], 0, sizeof(panel->b[k]));
        memcpy(panel->b[k], b, panel->columns * sizeof(float));
    }
}

static void BODY(gemm)(const lstm_product *p)
{
    BODY(gemm_panel) panel;
    for (size_t k = 0; k < p->depth; k += PIECE)
        for (size_t j = 0; j < p->columns; j += PANEL_COLUMNS) {
            size_t left = p->columns - j;
            panel.column = j;
            panel.columns = left < PANEL_COLUMNS ? left : PANEL_COLUMNS;
            panel.k0 = k;
            panel.depth = p->depth - k < PIECE ? p->depth - k : PIECE;
            BODY(gemm_fill_panel)(&panel, p);
#define WIDE(n)   gemm_tile(p, &panel, row, n, PRODUCT_VECTORS)
#define NARROW(n) gemm_tile(p, &panel, row, n, NARROW_VECTORS)
            if (panel.columns > NARROW_VECTORS * LANES)
                FOR_TILES(p->rows, PRODUCT_ROWS, 1, WIDE)
            else
                FOR_TILES(p->rows, PRODUCT_ROWS, 1, NARROW)
#undef WIDE
#undef NARROW
        }
}
