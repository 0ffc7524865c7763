/*
 * The cell, its gradient, products and weight gradients with bfloat16 operands.
 *
 * Products are those of cell_body.c, product_body.c and outer_body.c, whose numbers are
 * pairs here (see pairs.h), weights too: a line of a panel is two steps of k. Sums,
 * biases, gates, cell states and all that is computed element by element are float32.
 * Every element is one chain of v_dot() over pairs in their order, so all sets give the
 * same bits. Twice as many products come out of an instruction, and half as many bytes
 * go in: that is where the speed comes from.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd_pairs.h"

static void BODY(pair_cell)(const lstm_cell *job)
{
    step_cell(job, true);
}

/* Two rows at a time, all their lanes before the first is written over. */
static void BODY(pair_cell_gradient)(const lstm_cell_gradient *job)
{
    for (size_t row = 0; row < job->rows; row += 2) {
        vf d[2][BLOCK_VECTORS][LSTM_GATES] = {{{{0}}}};
        size_t rows = job->rows - row < 2 ? 1 : 2;
        for (size_t r = 0; r < rows; r++)
            UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                cell_differentiate(job, (row + r) * BLOCK + v * LANES, d[r][v]);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                v_store_pairs(job->gates + q * job->gate_stride + row * BLOCK,
                              v * LANES, d[0][v][q], d[1][v][q]);
    }
}

static void BODY(pair_product)(const lstm_panel_product *job)
{
    multiply_panel(job, true);
}

static void BODY(pair_outer)(const lstm_outer *job)
{
    add_outer(job, true);
}

static void BODY(pair_outer_bias)(const lstm_outer *job, float *sums)
{
    sum_outer(job, sums, true);
}

static void BODY(to_pairs)(size_t rows, float *block)
{
    for (size_t row = 0; row < rows; row += 2, block += PAIR_LINES) {
        vf even[BLOCK_VECTORS], odd[BLOCK_VECTORS];
        UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
        {
            even[v] = v_load(block + v * LANES);
            odd[v] = row + 1 < rows ? v_load(block + BLOCK + v * LANES) : v_zero();
        }
        UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
            v_store_pairs(block, v * LANES, even[v], odd[v]);
    }
}
