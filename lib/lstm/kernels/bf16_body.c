/*
 * The cell, its gradient, products and weight gradients with bfloat16 operands.
 *
 * As cell_body.c, product_body.c and outer_body.c, with these differences. What is
 * multiplied lies in pairs (see pairs.h), weights too: a line of a panel is two steps
 * of k. Sums, biases, gates, cell states and all that is computed element by element
 * are float32. Every element is one chain of v_dot() over pairs in their order, so all
 * sets give the same bits. Twice as many products come out of an instruction, and half
 * as many bytes go in: that is where the speed comes from.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd_pairs.h"

enum { PAIR_CELL_ROWS = CELL_ROWS / 2 * 2 };
_Static_assert(PRODUCT_ROWS % 2 == 0, "rows come in pairs");

/* acc[row][vector] += sum over n pairs of x[row][k] weights[k][vector]. */
INLINE const float *pair_multiply_block(vf *acc, size_t rows, size_t vectors,
                                        const float *x, size_t n, const float *weights)
{
    _Pragma("GCC unroll 8") for (size_t k = 0; k < n; k++, weights += vectors * LANES)
    {
        vf line[8];
        UNROLL for (size_t v = 0; v < vectors; v++) line[v] =
            v_load(weights + v * LANES);
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            vf pair = v_splat(x[PAIR_ROW(r) + k]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r * vectors + v] =
                v_dot(acc[r * vectors + v], pair, line[v]);
        }
    }
    return weights;
}

/* The same over all channels of an operand; returns the end of the weights used. */
INLINE const float *pair_multiply(vf *acc, size_t rows, size_t vectors, lstm_operand x,
                                  size_t row, size_t stride, const float *weights)
{
    const float *block = x.data + row * BLOCK;
    for (size_t segment = 0; segment < x.segments; segment++) {
        size_t left = x.channels;
        for (; left >= BLOCK; left -= BLOCK, block += stride)
            weights =
                pair_multiply_block(acc, rows, vectors, block, BLOCK / 2, weights);
        if (left) {
            weights =
                pair_multiply_block(acc, rows, vectors, block, (left + 1) / 2, weights);
            block += stride;
        }
    }
    return weights;
}

INLINE void pair_cell_tile(const lstm_cell *job, const float *weights, size_t unit,
                           size_t row, size_t rows)
{
    vf acc[PAIR_CELL_ROWS * LSTM_GATES], h[PAIR_CELL_ROWS];
    UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        UNROLL for (size_t r = 0; r < rows; r++) acc[r * LSTM_GATES + q] =
            v_load(job->bias + q * BLOCK + unit);
    UNROLL for (size_t r = 0; unit == 0 && r < rows; r++)
        cell_prefetch(job, (row + r) * BLOCK);
    weights = pair_multiply(acc, rows, LSTM_GATES, job->x, row, job->stride, weights);
    if (job->h.data)
        pair_multiply(acc, rows, LSTM_GATES, job->h, row, job->stride, weights);
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        size_t at = (row + r) * BLOCK + unit;
        vf c = cell_state(job, at, acc + r * LSTM_GATES);
        h[r] = cell_output(job, at, c, acc[r * LSTM_GATES + 3]);
    }
    UNROLL for (size_t r = 0; r < rows; r += 2) v_store_pairs(
        job->h_out + (row + r) * BLOCK, unit, h[r], r + 1 < rows ? h[r + 1] : v_zero());
}

static void BODY(pair_cell)(const lstm_cell *job)
{
    size_t k = job->x.segments * ((job->x.channels + 1) / 2) +
               job->h.segments * ((job->h.channels + 1) / 2);
    const float *weights = job->weights;
    for (size_t unit = 0; unit < BLOCK;
         unit += LANES, weights += k * LSTM_GATES * LANES) {
#define TILE(n) pair_cell_tile(job, weights, unit, row, n)
        FOR_TILES(job->rows, PAIR_CELL_ROWS, 2, TILE)
#undef TILE
    }
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

INLINE void pair_product_tile(const lstm_panel_product *job, size_t row, size_t rows,
                              size_t vectors)
{
    vf acc[PRODUCT_ROWS * PRODUCT_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        acc[r * vectors + v] =
            job->accumulate ? v_load(tile_address(job->out, job->stride, row + r, v))
                            : v_zero();
    pair_multiply(acc, rows, vectors, job->a, row, job->stride, job->weights);
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vectors; v++)
        v_store(tile_address(job->out, job->stride, row + r, v), acc[r * vectors + v]);
}

static void BODY(pair_product)(const lstm_panel_product *job)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
#define WIDE(n)   pair_product_tile(job, row, n, PRODUCT_VECTORS)
#define NARROW(n) pair_product_tile(job, row, n, BLOCK_VECTORS)
    if (job->blocks == PANEL_BLOCKS)
        FOR_TILES(job->rows, PRODUCT_ROWS, 2, WIDE)
    else
        FOR_TILES(job->rows, PRODUCT_ROWS, 2, NARROW)
#undef WIDE
#undef NARROW
}

INLINE void pair_outer_tile(const lstm_outer *job, size_t gate, size_t gates,
                            size_t vectors)
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
        const float *a_group = job->a + step * job->a_step + PAIR_ROWS + gate;
        const float *b_group = job->b + step * job->b_step + PAIR_ROWS;
        for (size_t left = job->rows[step]; left > 0;) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            const float *a = a_group, *b = b_group;
            /* Of the pairs of rows alone. */
            for (size_t r = 0; ahead && r < rows; r += 2)
                PREFETCH(a_group + ahead + r * BLOCK);
            _Pragma("GCC unroll 4") for (size_t r = 0; r < rows;
                                         r += 2, a += PAIR_LINES, b += PAIR_LINES)
            {
                vf line[PRODUCT_VECTORS];
                UNROLL for (size_t v = 0; v < vectors; v++) line[v] = v_load(
                    b + v / BLOCK_VECTORS * job->stride + v % BLOCK_VECTORS * LANES);
                UNROLL for (size_t g = 0; g < gates; g++)
                {
                    vf pair = v_splat(a[g]);
                    UNROLL for (size_t v = 0; v < vectors; v++) acc[g * vectors + v] =
                        v_dot(acc[g * vectors + v], pair, line[v]);
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

static void BODY(pair_outer)(const lstm_outer *job)
{
    enum {
        PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS,
        REST = BLOCK % OUTER_ROWS,
        WHOLE = BLOCK - REST
    };
    for (size_t gate = 0; gate < WHOLE; gate += OUTER_ROWS) {
        if (job->blocks == PANEL_BLOCKS)
            pair_outer_tile(job, gate, OUTER_ROWS, PRODUCT_VECTORS);
        else
            pair_outer_tile(job, gate, OUTER_ROWS, BLOCK_VECTORS);
    }
    if (REST) {
        if (job->blocks == PANEL_BLOCKS)
            pair_outer_tile(job, WHOLE, REST, PRODUCT_VECTORS);
        else
            pair_outer_tile(job, WHOLE, REST, BLOCK_VECTORS);
    }
}

/* The sum of the rounded gradients: their products with 1. Four chains, pair p of a
 * group in chain p mod 4, added at the end in one order. */
static void BODY(pair_outer_bias)(const lstm_outer *job, float *sums)
{
    enum { CHAINS = 4 };
    const vf ones = v_splat(lstm_pair(lstm_bf16(1), lstm_bf16(1)));
    vf acc[CHAINS][BLOCK_VECTORS] = {{{0}}};
    for (size_t step = 0; step < job->steps; step++) {
        const float *a_group = job->a + step * job->a_step + PAIR_ROWS;
        for (size_t left = job->rows[step]; left > 0; a_group += job->a_group) {
            size_t rows = left < job->group_rows ? left : job->group_rows;
            for (size_t p = 0; 2 * p < rows; p++)
                UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++) acc[p % CHAINS][v] =
                    v_dot(acc[p % CHAINS][v],
                          v_load(a_group + p * PAIR_LINES + v * LANES), ones);
            left -= rows;
        }
    }
    UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
    {
        vf sum = (acc[0][v] + acc[1][v]) + (acc[2][v] + acc[3][v]);
        v_store(sums + v * LANES, job->first ? sum : v_load(sums + v * LANES) + sum);
    }
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
