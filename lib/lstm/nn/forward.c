/*
 * Forward through time.
 *
 * The rows of a range run through all steps without waiting for other rows. With few
 * rows, each thread computes some hidden units of all rows, and the threads wait for
 * each other after each step, because each reads the whole h.
 *
 * If a step of few rows reads more weights than fit into the second-level cache, the
 * products of the inputs come first, for all steps of a chunk. With H = I = 512 forward
 * takes 0.73 of the time for 8 rows, 0.81 for 16 and 0.94 for 32.
 *
 * For one sequence in evaluation, the products of the inputs are computed first, for
 * all steps of a window at once, as for the rows of a batch. Each step then reads only
 * the panels of h.
 */
#include "lib/common/extremes.h"
#include "lib/lstm/nn/pass.h"

/* h = u W_hr^T. */
static void project(const lstm_steps *s, size_t step, size_t active)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t unit = blocked->kernels->product_blocks,
           channels = s->weights->config.hidden;
    size_t depth = lstm_packed_depth(blocked->kernels, 1, channels);
    size_t first = lstm_range_block(s->range, s->state, unit, 0);
    size_t end = lstm_range_block(s->range, s->state, unit, 1);
    const float *u = s->at->u + step * lstm_blocked_step(blocked, s->hidden);
    const float *scales = s->direction->project_scales;
    float *h = s->at->h_out + step * lstm_blocked_step(blocked, s->state);
    for (size_t block = first; block < end; block += unit) {
        lstm_rows rows;
        for (size_t row = s->range->row_start; row < active; row += rows.count) {
            rows = lstm_blocked_rows(blocked, row, active);
            blocked->kernels->product(&(lstm_panel_product){
                .rows = rows.count,
                .stride = lstm_blocked_stride(blocked),
                .a = {u + lstm_blocked_offset(blocked, rows, s->hidden), 1, channels},
                .weights = s->direction->project + block * depth * LSTM_BLOCK,
                .blocks = common_smaller(s->state - block, unit),
                .scales = scales ? scales + block * LSTM_BLOCK : NULL,
                .out = h + lstm_blocked_offset(blocked, rows, s->state) +
                       block * lstm_blocked_stride(blocked),
            });
        }
    }
    lstm_blocked_round(blocked, s->range->row_start, active, s->state, first, end, h);
}

/* Runs one sequence in evaluation. */
static void run_single(const lstm_steps *s, const lstm_chunk *chunk, size_t first,
                       size_t last)
{
    if (s->at->gates && first < last)
        lstm_cell_forward_inputs(s, chunk->end - chunk->start, first, last);
    for (size_t step = chunk->start; step < chunk->end; step++) {
        size_t active = lstm_batch_active(&s->tape->batch, step);
        if (first < last && active > 0)
            lstm_cell_forward_row(s, step - chunk->window, step == 0, first, last);
        lstm_range_sync(s->range);
        if (s->at->u) {
            project(s, step - chunk->window, active);
            lstm_range_sync(s->range);
        }
    }
}

/* The number of active rows of the range. */
static size_t active_rows(const lstm_steps *s, size_t step)
{
    return common_smaller(lstm_batch_active(&s->tape->batch, step), s->range->row_end);
}

static void run_rows(const lstm_steps *s, const lstm_chunk *chunk, size_t first,
                     size_t last)
{
    lstm_cell_part part = LSTM_CELL_WHOLE;
    if (s->tape->inputs_apart && chunk->end - chunk->start > 1) {
        for (size_t block = first; block < last; block++)
            for (size_t step = chunk->start; step < chunk->end; step++)
                lstm_cell_forward(s, LSTM_CELL_INPUTS, step - chunk->window, step == 0,
                                  false, block, active_rows(s, step));
        part = LSTM_CELL_STATE;
    }
    for (size_t step = chunk->start; step < chunk->end; step++) {
        size_t active = active_rows(s, step);
        bool prefetch = part == LSTM_CELL_WHOLE && step + 1 < chunk->window_end;
        for (size_t block = first; block < last; block++)
            lstm_cell_forward(s, part, step - chunk->window, step == 0, prefetch, block,
                              active);
        lstm_range_sync(s->range);
        if (s->at->u) {
            project(s, step - chunk->window, active);
            lstm_range_sync(s->range);
        }
    }
}

void lstm_forward_direction(const lstm_steps *s, const lstm_chunk *chunk)
{
    size_t first = lstm_range_block(s->range, s->hidden, 1, 0);
    size_t last = lstm_range_block(s->range, s->hidden, 1, 1);
    if (s->tape->single)
        run_single(s, chunk, first, last);
    else
        run_rows(s, chunk, first, last);
}
