/*
 * The LSTM cell and the linear layer for a single row: a sequence that comes step by
 * step.
 *
 * With one row there is nothing to share a vector of weights with, so reading them is
 * what takes the time. The sums of one group of units, four chains, do not fill the
 * pipelines that multiply and add; those of several groups side by side do, each group
 * reading its own panel. Where several steps are known at once, their products of x
 * come first, so that each step reads the weights of h alone. Sums run in the order of
 * the cell of many rows and of gemm.h, so they have the same bits.
 */
#include "lib/lstm/kernels/activation.h"
#include "lib/lstm/kernels/kernels.h"

/* Groups of LANES units side by side: 16 sums of 32 registers, or 8 of 16. */
enum { ROW_GROUPS = 2 };

/* acc[group][gate] += sum over n of x[k] weights[group][k][gate]. */
INLINE void row_multiply(vf *acc, size_t groups, size_t distance, const float *x,
                         size_t n, const float *weights)
{
    for (size_t k = 0; k < n; k++, weights += LSTM_GATES * LANES) {
        vf number = v_splat(x[k]);
        UNROLL for (size_t g = 0; g < groups; g++)
            UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        {
            vf line = v_load(weights + g * distance + q * LANES);
            acc[g * LSTM_GATES + q] = v_fma(number, line, acc[g * LSTM_GATES + q]);
        }
    }
}

/* Where the sums of a unit's first gate are, and its biases. */
INLINE size_t row_sums(size_t unit)
{
    return unit / BLOCK * LSTM_GATES * BLOCK + unit % BLOCK;
}

/* Units unit to unit + groups * LANES - 1. */
INLINE void row_tile(const lstm_cell_row *job, size_t unit, size_t groups)
{
    vf acc[ROW_GROUPS * LSTM_GATES];
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t first = unit + g * LANES;
        const float *from = (job->sums ? job->sums : job->bias) + row_sums(first);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) acc[g * LSTM_GATES + q] =
            v_load(from + q * BLOCK);
    }
    size_t distance = (job->inputs + job->state) * LSTM_GATES * LANES;
    const float *weights = (const float *)job->weights + unit / LANES * distance;
    if (!job->sums)
        row_multiply(acc, groups, distance, job->x, job->inputs, weights);
    if (job->h)
        row_multiply(acc, groups, distance, job->h, job->state,
                     weights + job->inputs * LSTM_GATES * LANES);
    const lstm_cell finish = {.c_before = job->c_before, .c = job->c};
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t at = unit + g * LANES;
        vf c = cell_state(&finish, at, acc + g * LSTM_GATES);
        v_store(job->h_out + at, cell_output(&finish, at, c, acc[g * LSTM_GATES + 3]));
    }
}

static void BODY(cell_row)(const lstm_cell_row *job)
{
    size_t units = job->blocks * BLOCK, unit = 0;
    for (; unit + ROW_GROUPS * LANES <= units; unit += ROW_GROUPS * LANES)
        row_tile(job, unit, ROW_GROUPS);
    for (; unit < units; unit += LANES)
        row_tile(job, unit, 1);
}

/* Units unit to unit + LANES - 1 of a few steps. */
INLINE void inputs_tile(const lstm_cell_inputs *job, size_t unit, size_t step,
                        size_t steps)
{
    vf acc[CELL_ROWS * LSTM_GATES];
    UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        UNROLL for (size_t s = 0; s < steps; s++) acc[s * LSTM_GATES + q] =
            v_load(job->bias + row_sums(unit) + q * BLOCK);
    const float *x = job->x + step * job->x_stride;
    const float *weights =
        (const float *)job->weights +
        unit / LANES * (job->inputs + job->state) * LSTM_GATES * LANES;
    for (size_t k = 0; k < job->inputs; k++, weights += LSTM_GATES * LANES) {
        multiply_line(acc, steps, LSTM_GATES, x + k, job->x_stride, weights, BLOCK,
                      false);
    }
    float *sums = job->sums + step * job->sums_stride + row_sums(unit);
    UNROLL for (size_t s = 0; s < steps; s++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            v_store(sums + s * job->sums_stride + q * BLOCK, acc[s * LSTM_GATES + q]);
}

static void BODY(cell_inputs)(const lstm_cell_inputs *job)
{
    for (size_t unit = 0; unit < job->blocks * BLOCK; unit += LANES) {
#define TILE(n) inputs_tile(job, unit, row, n)
        FOR_TILES(job->steps, CELL_ROWS, 1, TILE)
#undef TILE
    }
}

static void BODY(linear_row)(const lstm_linear_row *job)
{
    size_t columns = job->blocks * BLOCK;
    for (size_t column = 0; column < columns; column += LANES) {
        vf sum = v_load(job->bias + column);
        const float *weights = job->weights + column;
        for (size_t k = 0; k < job->inputs; k++, weights += columns)
            sum = v_fma(v_splat(job->x[k]), v_load(weights), sum);
        v_store(job->y + column, sum);
    }
}
