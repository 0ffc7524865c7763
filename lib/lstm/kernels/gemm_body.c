/*
 * Product of matrices, c (+)= a b (see gemm.h).
 *
 * A tile of c, TILE_ROWS rows by TILE_VECTORS vectors, stays in registers while k runs:
 * 4 x 3 sums, 3 vectors of b and one element of a fill the 16 registers that every
 * instruction set but AVX-512 has. Columns are walked in panels of a tile's width, and
 * the depth in pieces: the piece of b is copied to a panel on the stack, padded with
 * zeros to whole tiles, and serves all rows of a from the first-level cache. Between
 * pieces the sums wait in c, which keeps each of them one chain. The file is included
 * by each set's own source, which defines BODY(name).
 */
#include <string.h>

#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/simd.h"

enum {
    TILE_ROWS = 4,
    TILE_VECTORS = 3,
    TILE_COLUMNS = TILE_VECTORS * LANES,
    /* The largest panel, of AVX-512, is 24 KiB: half of a first-level cache. */
    PIECE = 128
};

/* A tile of sums, and the panel of b that they run over. */
typedef struct BODY(gemm_tile) {
    vf sums[TILE_ROWS][TILE_VECTORS];
} BODY(gemm_tile);
typedef struct BODY(gemm_panel) {
    vf b[PIECE][TILE_VECTORS];
} BODY(gemm_panel);

/* sums += a b over a piece; rows[i] is row i of a. */
static void BODY(gemm_accumulate)(BODY(gemm_tile) * tile, size_t depth,
                                  const float *const *rows, size_t a_step,
                                  const BODY(gemm_panel) * panel)
{
    BODY(gemm_tile) local = *tile;
    const float *a0 = rows[0], *a1 = rows[1], *a2 = rows[2], *a3 = rows[3];
    for (size_t k = 0; k < depth; k++) {
        for (size_t j = 0; j < TILE_VECTORS; j++) {
            vf b = panel->b[k][j];
            local.sums[0][j] += a0[k * a_step] * b;
            local.sums[1][j] += a1[k * a_step] * b;
            local.sums[2][j] += a2[k * a_step] * b;
            local.sums[3][j] += a3[k * a_step] * b;
        }
    }
    *tile = local;
}

static void BODY(gemm_fill_panel)(BODY(gemm_panel) * panel, size_t depth,
                                  size_t columns, const float *b, size_t b_row)
{
    for (size_t k = 0; k < depth; k++) {
        if (columns < TILE_COLUMNS)
            memset(panel->b[k], 0, sizeof(panel->b[k]));
        memcpy(panel->b[k], b + k * b_row, columns * sizeof(float));
    }
}

/* All rows of c against one panel: columns of them, depth of the piece from k0. */
static void BODY(gemm_rows)(const lstm_product *p, const BODY(gemm_panel) * panel,
                            size_t column, size_t columns, size_t k0, size_t depth)
{
    for (size_t i = 0; i < p->rows; i += TILE_ROWS) {
        size_t count = p->rows - i < TILE_ROWS ? p->rows - i : TILE_ROWS;
        /* Rows beyond the last one repeat it, and are not stored. */
        const float *rows[TILE_ROWS];
        BODY(gemm_tile) tile = {0};
        for (size_t r = 0; r < TILE_ROWS; r++)
            rows[r] =
                p->a + (i + (r < count ? r : count - 1)) * p->a_row + k0 * p->a_step;
        float *c = p->c + i * p->c_row + column;
        for (size_t r = 0; (p->add || k0 > 0) && r < count; r++)
            memcpy(tile.sums[r], c + r * p->c_row, columns * sizeof(float));
        BODY(gemm_accumulate)(&tile, depth, rows, p->a_step, panel);
        for (size_t r = 0; r < count; r++)
            memcpy(c + r * p->c_row, tile.sums[r], columns * sizeof(float));
    }
}

static void BODY(gemm)(const lstm_product *p)
{
    BODY(gemm_panel) panel;
    for (size_t j = 0; j < p->columns; j += TILE_COLUMNS) {
        size_t left = p->columns - j;
        size_t columns = left < TILE_COLUMNS ? left : TILE_COLUMNS;
        for (size_t k = 0; k < p->depth; k += PIECE) {
            size_t depth = p->depth - k < PIECE ? p->depth - k : PIECE;
            BODY(gemm_fill_panel)
            (&panel, depth, columns, p->b + k * p->b_row + j, p->b_row);
            BODY(gemm_rows)(p, &panel, j, columns, k, depth);
        }
    }
}
