/*
 * The LSTM cell and the linear layer for a single row: a sequence that arrives step by
 * step.
 *
 * With one row each vector of weights is used only once, so reading the weights takes
 * most of the time. The four chains of sums of one group of units do not fill the
 * pipelines of the multiply-adds. Several groups together do; each has its own panel.
 * When several steps are known at once, the products of x are computed first, so that
 * each step reads only the weights of h. Sums have the order of the cell of many rows
 * and of gemm.h, so they have the same bits.
 */
#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/cell.h"
#include "lib/lstm/kernels/simd_pairs.h"
#include "lib/lstm/kernels/tile.h"

/* Number of groups of LANES units that are computed together. */
enum { ROW_GROUPS = 3 };

/* The offset of a unit of the first gate in [blocks][4][16], of sums and biases. */
INLINE size_t gate_offset(size_t unit)
{
    return unit / BLOCK * LSTM_GATES * BLOCK + unit % BLOCK;
}

#if KERNEL_TABLES & FLOATS
/* acc[group][gate] += sum over k < n of x[k] weights[group][k][gate]. stride is the
 * stride of the groups. */
INLINE void row_multiply(vf *acc, size_t groups, size_t stride, const float *x,
                         size_t n, const float *weights)
{
    for (size_t k = 0; k < n; k++, weights += LSTM_GATES * LANES) {
        vf value = v_splat(x[k]);
        UNROLL for (size_t g = 0; g < groups; g++)
            UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        {
            vf vector = v_load(weights + g * stride + q * LANES);
            acc[g * LSTM_GATES + q] = v_fma(value, vector, acc[g * LSTM_GATES + q]);
        }
    }
}

/* Computes units unit to unit + groups * LANES - 1. */
INLINE void row_tile(const lstm_cell_row *job, size_t unit, size_t groups)
{
    vf acc[ROW_GROUPS * LSTM_GATES];
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t first = unit + g * LANES;
        const float *from = (job->sums ? job->sums : job->bias) + gate_offset(first);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) acc[g * LSTM_GATES + q] =
            v_load(from + q * BLOCK);
    }
    size_t stride = (job->inputs + job->state) * LSTM_GATES * LANES;
    const float *weights = (const float *)job->weights + unit / LANES * stride;
    if (!job->sums)
        row_multiply(acc, groups, stride, job->x, job->inputs, weights);
    if (job->h)
        row_multiply(acc, groups, stride, job->h, job->state,
                     weights + job->inputs * LSTM_GATES * LANES);
    const lstm_cell states = {.c_before = job->c_before, .c = job->c};
    vf c[ROW_GROUPS];
    UNROLL for (size_t g = 0; g < groups; g++) c[g] =
        cell_state(&states, unit + g * LANES, acc + g * LSTM_GATES);
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t offset = unit + g * LANES;
        v_store(job->h_out + offset,
                cell_output(&states, offset, c[g], acc[g * LSTM_GATES + 3]));
    }
}

static void BODY(cell_row)(const lstm_cell_row *job)
{
    size_t unit = 0;
    for (; unit + (ROW_GROUPS - 1) * LANES < job->units; unit += ROW_GROUPS * LANES)
        row_tile(job, unit, ROW_GROUPS);
    if (unit + LANES < job->units)
        row_tile(job, unit, 2);
    else if (unit < job->units)
        row_tile(job, unit, 1);
}

/* Computes the sums of units unit to unit + LANES - 1 for a few steps. */
INLINE void inputs_tile(const lstm_cell_inputs *job, size_t unit, size_t step,
                        size_t steps)
{
    vf acc[CELL_ROWS * LSTM_GATES];
    UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        UNROLL for (size_t s = 0; s < steps; s++) acc[s * LSTM_GATES + q] =
            v_load(job->bias + gate_offset(unit) + q * BLOCK);
    const float *x = job->x + step * job->x_stride;
    const float *weights =
        (const float *)job->weights +
        unit / LANES * (job->inputs + job->state) * LSTM_GATES * LANES;
    for (size_t k = 0; k < job->inputs; k++, weights += LSTM_GATES * LANES) {
        rank1_update(acc, steps, LSTM_GATES, x + k, job->x_stride, weights, BLOCK,
                     FLOATS);
    }
    float *sums = job->sums + step * job->sums_stride + gate_offset(unit);
    UNROLL for (size_t s = 0; s < steps; s++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            v_store(sums + s * job->sums_stride + q * BLOCK, acc[s * LSTM_GATES + q]);
}

static void BODY(cell_inputs)(const lstm_cell_inputs *job)
{
    for (size_t unit = 0; unit < job->units; unit += LANES) {
#define TILE(n) inputs_tile(job, unit, row, n)
        FOR_TILES(job->steps, CELL_ROWS, 1, TILE)
#undef TILE
    }
}

static void BODY(linear_row)(const lstm_linear_row *job)
{
    size_t columns = lstm_blocks(job->outputs) * BLOCK;
    for (size_t column = 0; column < job->outputs; column += LANES) {
        vf sum = v_load(job->bias + column);
        const float *weights = job->weights + column;
        for (size_t k = 0; k < job->inputs; k++, weights += columns)
            sum = v_fma(v_splat(job->x[k]), v_load(weights), sum);
        v_store(job->y + column, sum);
    }
}
#endif

#if KERNEL_TABLES & PAIRS
/* The same with pairs. x is row 0 of blocks of one pair of rows. */
INLINE const float *pair_row_multiply(vf *acc, size_t groups, size_t stride,
                                      const float *x, size_t channels,
                                      const float *weights)
{
    for (size_t left = (channels + 1) / 2; left > 0; x += PAIR_STRIDE) {
        size_t n = left < BLOCK / 2 ? left : BLOCK / 2;
        for (size_t k = 0; k < n; k++, weights += LSTM_GATES * LANES) {
            vf pair = v_splat(x[k]);
            UNROLL for (size_t g = 0; g < groups; g++)
                UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            {
                vf vector = v_load(weights + g * stride + q * LANES);
                acc[g * LSTM_GATES + q] = v_dot(acc[g * LSTM_GATES + q], pair, vector);
            }
        }
        left -= n;
    }
    return weights;
}

/* Computes units unit to unit + groups * LANES - 1. */
INLINE void pair_row_tile(const lstm_cell_row *job, size_t unit, size_t groups)
{
    vf acc[ROW_GROUPS * LSTM_GATES];
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t first = unit + g * LANES;
        const float *bias = job->bias + gate_offset(first);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) acc[g * LSTM_GATES + q] =
            v_load(bias + q * BLOCK);
    }
    size_t depth = packed_depth(job->inputs, PAIRS) + packed_depth(job->state, PAIRS);
    size_t stride = depth * LSTM_GATES * LANES;
    const float *weights = (const float *)job->weights + unit / LANES * stride;
    weights = pair_row_multiply(acc, groups, stride, job->x, job->inputs, weights);
    if (job->h)
        pair_row_multiply(acc, groups, stride, job->h, job->state, weights);
    const lstm_cell states = {.c_before = job->c_before, .c = job->c};
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        /* c has the layout of h: blocks of two rows. */
        size_t offset =
            (unit + g * LANES) / BLOCK * PAIR_STRIDE + (unit + g * LANES) % BLOCK;
        vf c = cell_state(&states, offset, acc + g * LSTM_GATES);
        vf h = cell_output(&states, offset, c, acc[g * LSTM_GATES + 3]);
        v_store_pairs(job->h_out + offset - offset % BLOCK, offset % BLOCK, h,
                      v_zero());
    }
}

static void BODY(pair_cell_row)(const lstm_cell_row *job)
{
    size_t unit = 0;
    for (; unit + (ROW_GROUPS - 1) * LANES < job->units; unit += ROW_GROUPS * LANES)
        pair_row_tile(job, unit, ROW_GROUPS);
    if (unit + LANES < job->units)
        pair_row_tile(job, unit, 2);
    else if (unit < job->units)
        pair_row_tile(job, unit, 1);
}
#endif
