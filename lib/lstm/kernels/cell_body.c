/*
 * The LSTM cell, forward and backward, fused.
 *
 * Forward: the products of x and h with the weights of all four gates of the same
 * hidden units are accumulated side by side, and the gates, the cell state and the
 * output follow when those of a group of rows are done: pre-activations wait in the
 * first level cache and never reach memory. A panel of weights is [k][i units, f units,
 * g units, o units].
 */
#include "lib/lstm/kernels/activation.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd_pairs.h"

/* Gates and state of one row from its four sums, of which the last becomes o. */
INLINE vf cell_state(const lstm_cell *job, size_t at, vf *sums)
{
    vf i = v_sigmoid(sums[0]), f = v_sigmoid(sums[1]);
    vf g = v_tanh(sums[2]), o = v_sigmoid(sums[3]);
    vf c = i * g;
    if (job->c_before)
        c = v_fma(f, v_load(job->c_before + at), c);
    v_store(job->c + at, c);
    if (job->gates) {
        v_store(job->gates + at, i);
        v_store(job->gates + job->gate_stride + at, f);
        v_store(job->gates + 2 * job->gate_stride + at, g);
        v_store(job->gates + 3 * job->gate_stride + at, o);
    }
    sums[3] = o;
    return c;
}

/* The output of one row from its state and o. */
INLINE vf cell_output(const lstm_cell *job, size_t at, vf c, vf o)
{
    vf t = v_tanh(c);
    if (job->tanh_c)
        v_store(job->tanh_c + at, t);
    return o * t;
}

/* The lines that a row of a tile will write come from the third level cache: they are
 * asked for before the products, which take long enough for them to arrive. */
INLINE void cell_prefetch(const lstm_cell *job, size_t at)
{
    if (job->gates) {
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            PREFETCH_WRITE(job->gates + q * job->gate_stride + at);
        PREFETCH_WRITE(job->tanh_c + at);
    }
    PREFETCH_WRITE(job->c + at);
    PREFETCH_WRITE(job->h_out + at);
    if (job->prefetch)
        PREFETCH(job->prefetch + at);
}

/* Sums of rows row to row + rows - 1 of the units that start at unit of the block. */
INLINE void cell_tile(const lstm_cell *job, const float *weights, size_t unit,
                      size_t row, size_t rows, vf (*sums)[LSTM_GATES], bool pairs)
{
    vf acc[CELL_ROWS * LSTM_GATES];
    UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        UNROLL for (size_t r = 0; r < rows; r++) acc[r * LSTM_GATES + q] =
            v_load(job->bias + q * BLOCK + unit);
    UNROLL for (size_t r = 0; unit == 0 && r < rows; r++)
        cell_prefetch(job, (row + r) * BLOCK);
    weights =
        multiply(acc, rows, LSTM_GATES, job->x, row, job->stride, weights, NULL, pairs);
    if (job->h.data)
        multiply(acc, rows, LSTM_GATES, job->h, row, job->stride, weights, NULL, pairs);
    UNROLL for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) sums[row + r][q] =
            acc[r * LSTM_GATES + q];
}

/* The output of a row of the units that start at unit of the block. */
INLINE vf cell_row_output(const lstm_cell *job, size_t row, size_t unit, vf o)
{
    size_t at = row * BLOCK + unit;
    return cell_output(job, at, v_load(job->c + at), o);
}

INLINE void cell_outputs(const lstm_cell *job, size_t unit, vf (*sums)[LSTM_GATES],
                         bool pairs)
{
    if (!pairs) {
        for (size_t row = 0; row < job->rows; row++)
            v_store(job->h_out + row * BLOCK + unit,
                    cell_row_output(job, row, unit, sums[row][3]));
        return;
    }
    for (size_t row = 0; row < job->rows; row += 2) {
        vf even = cell_row_output(job, row, unit, sums[row][3]), odd = v_zero();
        if (row + 1 < job->rows)
            odd = cell_row_output(job, row + 1, unit, sums[row + 1][3]);
        v_store_pairs(job->h_out + row * BLOCK, unit, even, odd);
    }
}

INLINE void step_cell(const lstm_cell *job, bool pairs)
{
    size_t k = job->x.segments * steps_of(job->x.channels, pairs) +
               job->h.segments * steps_of(job->h.channels, pairs);
    const float *weights = (const float *)job->weights;
    vf sums[LSTM_GROUP_ROWS][LSTM_GATES];
    for (size_t unit = 0; unit < BLOCK;
         unit += LANES, weights += k * LSTM_GATES * LANES) {
#define TILE(n) cell_tile(job, weights, unit, row, n, sums, pairs)
        if (pairs)
            FOR_TILES(job->rows, CELL_ROWS / 2 * 2, 2, TILE)
        else
            FOR_TILES(job->rows, CELL_ROWS, 1, TILE)
#undef TILE
        /* States of all rows before the outputs: the two activations of a row wait for
         * each other, those of rows do not. That takes 0.38 us instead of 0.48 for 16
         * rows with AVX2, which sees fewer rows ahead than AVX-512. */
        for (size_t row = 0; row < job->rows; row++)
            cell_state(job, row * BLOCK + unit, sums[row]);
        cell_outputs(job, unit, sums, pairs);
    }
}

static void BODY(cell)(const lstm_cell *job)
{
    step_cell(job, false);
}

/* Gradients of the gates of the lanes at one place; dc goes on. */
INLINE void cell_differentiate(const lstm_cell_gradient *job, size_t at, vf *d)
{
    const float *gates = job->gates + at;
    vf i = v_load(gates), f = v_load(gates + job->gate_stride);
    vf g = v_load(gates + 2 * job->gate_stride);
    vf o = v_load(gates + 3 * job->gate_stride);
    vf t = v_load(job->tanh_c + at);
    vf before = job->c_before ? v_load(job->c_before + at) : v_zero();
    vf dh = job->dh ? v_load(job->dh + at) : v_zero();
    if (job->dy)
        dh = dh + v_load(job->dy + at);
    vf dc = v_fma(dh * o, v_fma(-t, t, v_splat(1.0f)), v_load(job->dc + at));
    d[0] = (dc * g) * (i * (1.0f - i));
    d[1] = (dc * before) * (f * (1.0f - f));
    d[2] = (dc * i) * v_fma(-g, g, v_splat(1.0f));
    d[3] = (dh * t) * (o * (1.0f - o));
    v_store(job->dc + at, dc * f);
}

static void BODY(cell_gradient)(const lstm_cell_gradient *job)
{
    for (size_t at = 0; at < job->rows * BLOCK; at += LANES) {
        vf d[LSTM_GATES];
        cell_differentiate(job, at, d);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            v_store(job->gates + q * job->gate_stride + at, d[q]);
    }
}
