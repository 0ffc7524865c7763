/*
 * The LSTM cell for a single row with bfloat16 weights; see stream_body.c.
 *
 * Reading weights is what takes the time of a step, and here there are half as many
 * bytes. Sums run in the order of the cell of many rows, so they have the same bits.
 */
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd_pairs.h"

/* acc[group][gate] += sum over channels of x[k] weights[group][k][gate]. x is row 0 of
 * blocks of one pair of rows. */
INLINE const float *pair_row_multiply(vf *acc, size_t groups, size_t distance,
                                      const float *x, size_t channels,
                                      const float *weights)
{
    for (size_t left = (channels + 1) / 2; left > 0; x += PAIR_LINES) {
        size_t n = left < BLOCK / 2 ? left : BLOCK / 2;
        for (size_t k = 0; k < n; k++, weights += LSTM_GATES * LANES) {
            vf pair = v_splat(x[k]);
            UNROLL for (size_t g = 0; g < groups; g++)
                UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            {
                vf line = v_load(weights + g * distance + q * LANES);
                acc[g * LSTM_GATES + q] = v_dot(acc[g * LSTM_GATES + q], pair, line);
            }
        }
        left -= n;
    }
    return weights;
}

/* Units unit to unit + groups * LANES - 1. */
INLINE void pair_row_tile(const lstm_cell_row *job, size_t unit, size_t groups)
{
    vf acc[ROW_GROUPS * LSTM_GATES];
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        size_t first = unit + g * LANES;
        const float *bias =
            job->bias + first / BLOCK * LSTM_GATES * BLOCK + first % BLOCK;
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) acc[g * LSTM_GATES + q] =
            v_load(bias + q * BLOCK);
    }
    size_t lines = (job->inputs + 1) / 2 + (job->state + 1) / 2;
    size_t distance = lines * LSTM_GATES * LANES;
    const float *weights = (const float *)job->weights + unit / LANES * distance;
    weights = pair_row_multiply(acc, groups, distance, job->x, job->inputs, weights);
    if (job->h)
        pair_row_multiply(acc, groups, distance, job->h, job->state, weights);
    const lstm_cell states = {.c_before = job->c_before, .c = job->c};
    UNROLL for (size_t g = 0; g < groups; g++)
    {
        /* c lies as h does, in blocks of two rows. */
        size_t at =
            (unit + g * LANES) / BLOCK * PAIR_LINES + (unit + g * LANES) % BLOCK;
        vf c = cell_state(&states, at, acc + g * LSTM_GATES);
        vf h = cell_output(&states, at, c, acc[g * LSTM_GATES + 3]);
        v_store_pairs(job->h_out + at - at % BLOCK, at % BLOCK, h, v_zero());
    }
}

static void BODY(pair_cell_row)(const lstm_cell_row *job)
{
    size_t units = job->blocks * BLOCK, unit = 0;
    for (; unit + ROW_GROUPS * LANES <= units; unit += ROW_GROUPS * LANES)
        pair_row_tile(job, unit, ROW_GROUPS);
    for (; unit < units; unit += LANES)
        pair_row_tile(job, unit, 1);
}
