/*
 * The LSTM cell: its parameters, and the jobs of its kernels.
 *
 * A panel of weights multiplies all rows of the range before the next panel. A step
 * therefore reads it from the second-level cache once, and then from the first-level
 * cache.
 */
#include "lib/lstm/nn/cell.h"

#include "lib/common/extremes.h"
#include "lib/lstm/nn/pass.h"

lstm_cell_form lstm_cell_parameter_form(const lstm_layer_config *config,
                                        lstm_cell_parameter parameter, size_t inputs)
{
    size_t gates = LSTM_GATES * config->hidden, state = lstm_cell_state(config);
    size_t bias = config->no_bias ? 0 : 1, project = config->proj_size ? 2 : 0;
    const lstm_cell_form forms[LSTM_CELL_PARAMETERS] = {
        [LSTM_WEIGHT_IH] = {"weight_ih", 2, {gates, inputs}},
        [LSTM_WEIGHT_HH] = {"weight_hh", 2, {gates, state}},
        [LSTM_BIAS_IH] = {"bias_ih", bias, {gates, 0}},
        [LSTM_BIAS_HH] = {"bias_hh", bias, {gates, 0}},
        [LSTM_WEIGHT_HR] = {"weight_hr", project, {state, config->hidden}},
    };
    return forms[parameter];
}

/* The panel of a block of hidden units. */
static const lstm_packed *panel_of(const lstm_direction *direction, size_t block)
{
    return direction->cell + block * direction->cell_depth * LSTM_GATES * LSTM_BLOCK;
}

/* The biases or the scales of a block; NULL without scales. */
static const float *at_block(const float *values, size_t block)
{
    return values ? values + block * LSTM_GATES * LSTM_BLOCK : NULL;
}

/* Points a job at the gates of some rows, and for backward at tanh(c). */
static void set_gates(const lstm_steps *s, size_t step, size_t block, lstm_rows rows,
                      lstm_cell *job)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t blocks = LSTM_GATES * s->hidden, stride = job->stride;
    job->gates = s->at->gates + step * lstm_blocked_step(blocked, blocks) +
                 lstm_blocked_offset(blocked, rows, blocks) + block * stride;
    if (s->at->tanh_c)
        job->tanh_c = s->at->tanh_c + step * lstm_blocked_step(blocked, s->hidden) +
                      lstm_blocked_offset(blocked, rows, s->hidden) + block * stride;
}

/* Points a job at some rows of a step; first is true for the first step of the
 * sequence. */
static void set_rows(const lstm_steps *s, size_t step, bool first, size_t block,
                     lstm_rows rows, lstm_cell *job)
{
    const lstm_tape *tape = s->tape;
    const lstm_blocked *blocked = &tape->batch.blocked;
    const lstm_activations *at = s->at;
    size_t unit = step * lstm_blocked_step(blocked, s->hidden) +
                  lstm_blocked_offset(blocked, rows, s->hidden) + block * job->stride;
    size_t h = step * lstm_blocked_step(blocked, s->state) +
               lstm_blocked_offset(blocked, rows, s->state);
    job->rows = rows.count;
    job->x.data = at->x + step * lstm_blocked_step(blocked, s->x_blocks) +
                  lstm_blocked_offset(blocked, rows, s->x_blocks);
    job->h.data = !first || tape->has_h0 ? at->h + h : NULL;
    job->c_before = !first || tape->has_c0 ? at->c + unit : NULL;
    job->c = at->c_out + unit;
    /* Without a projection h has as many blocks as u. */
    job->h_out = (at->u ? at->u : at->h_out) + unit;
    if (at->gates)
        set_gates(s, step, block, rows, job);
}

void lstm_cell_forward(const lstm_steps *s, lstm_cell_part part, size_t step,
                       bool first, bool prefetch, size_t block, size_t active)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t stride = lstm_blocked_stride(blocked);
    size_t x_step = lstm_blocked_step(blocked, s->x_blocks);
    lstm_cell job = {
        .part = part,
        .stride = stride,
        .x = {NULL, s->direction->x_segments, s->direction->x_channels},
        .h = {NULL, 1, s->weights->state},
        .weights = panel_of(s->direction, block),
        .bias = at_block(s->direction->bias, block),
        .x_scales = at_block(s->direction->x_scales, block),
        .h_scales = at_block(s->direction->h_scales, block),
        .gate_stride = s->hidden * stride,
    };
    lstm_rows rows;
    for (size_t row = s->range->row_start; row < active; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, active);
        set_rows(s, step, first, block, rows, &job);
        job.prefetch = prefetch && block < s->x_blocks
                           ? job.x.data + x_step + block * stride
                           : NULL;
        blocked->kernels->cell(&job);
    }
}

/* Units of some blocks, without those that are padding. */
static size_t units_of(const lstm_steps *s, size_t first_block, size_t last_block)
{
    size_t hidden = s->weights->config.hidden;
    size_t end = last_block * LSTM_BLOCK;
    return common_smaller(end, hidden) - first_block * LSTM_BLOCK;
}

void lstm_cell_forward_inputs(const lstm_steps *s, size_t steps, size_t first_block,
                              size_t last_block)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    blocked->kernels->cell_inputs(&(lstm_cell_inputs){
        .steps = steps,
        .inputs = lstm_direction_inputs(s->direction),
        .state = s->weights->state,
        .units = units_of(s, first_block, last_block),
        .x = s->at->x,
        .x_stride = lstm_blocked_step(blocked, s->x_blocks),
        .weights = panel_of(s->direction, first_block),
        .bias = at_block(s->direction->bias, first_block),
        .x_scales = at_block(s->direction->x_scales, first_block),
        .sums = s->at->gates + first_block * line,
        .sums_stride = lstm_blocked_step(blocked, LSTM_GATES * s->hidden),
    });
}

void lstm_cell_forward_row(const lstm_steps *s, size_t step, bool first,
                           size_t first_block, size_t last_block)
{
    const lstm_tape *tape = s->tape;
    const lstm_blocked *blocked = &tape->batch.blocked;
    const lstm_activations *at = s->at;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    size_t hidden_step = lstm_blocked_step(blocked, s->hidden);
    size_t unit = first_block * LSTM_BLOCK;
    blocked->kernels->cell_row(&(lstm_cell_row){
        .inputs = lstm_direction_inputs(s->direction),
        .state = s->weights->state,
        .units = units_of(s, first_block, last_block),
        .x = at->x + step * lstm_blocked_step(blocked, s->x_blocks),
        .h = !first || tape->has_h0
                 ? at->h + step * lstm_blocked_step(blocked, s->state)
                 : NULL,
        .weights = panel_of(s->direction, first_block),
        .bias = at_block(s->direction->bias, first_block),
        .x_scales = at_block(s->direction->x_scales, first_block),
        .h_scales = at_block(s->direction->h_scales, first_block),
        .sums = at->gates
                    ? at->gates + step * LSTM_GATES * hidden_step + first_block * line
                    : NULL,
        .c_before = !first || tape->has_c0 ? at->c + step * hidden_step + unit : NULL,
        .c = at->c_out + step * hidden_step + unit,
        .h_out = (at->u ? at->u : at->h_out) + step * hidden_step + unit,
    });
}

/* Computes the gradients of the gates of one block of some rows; dy is the gradient of
 * its output, or NULL.
 */
static void differentiate(const lstm_steps *s, const lstm_state_gradients *gradients,
                          size_t step, lstm_rows rows, size_t block, const float *dy)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    const lstm_activations *at = s->at;
    size_t stride = lstm_blocked_stride(blocked), blocks = LSTM_GATES * s->hidden;
    size_t first = step * lstm_blocked_step(blocked, s->hidden);
    size_t unit = lstm_blocked_offset(blocked, rows, s->hidden) + block * stride;
    bool zero = step == 0 && !s->tape->has_c0;
    blocked->kernels->cell_gradient(&(lstm_cell_gradient){
        .rows = rows.count,
        .stride = stride,
        .gates = at->gates + step * lstm_blocked_step(blocked, blocks) +
                 lstm_blocked_offset(blocked, rows, blocks) + block * stride,
        .gate_stride = s->hidden * stride,
        .tanh_c = at->tanh_c + first + unit,
        .c_before = zero ? NULL : at->c + first + unit,
        .dh = (gradients->du ? gradients->du : gradients->dh) + unit,
        .dy = dy,
        .dc = gradients->dc + unit,
    });
}

void lstm_cell_backward(const lstm_steps *s, const lstm_state_gradients *gradients,
                        const lstm_io_gradients *io, size_t step, size_t active)
{
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t stride = lstm_blocked_stride(blocked);
    size_t first = lstm_range_block(s->range, s->hidden, 1, 0);
    size_t end = lstm_range_block(s->range, s->hidden, 1, 1);
    /* With a projection, dy is part of dp and so of du. */
    bool outer = io->dy && !gradients->du;
    lstm_rows rows;
    for (size_t row = s->range->row_start; row < active; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, active);
        size_t dy = step * lstm_blocked_step(blocked, io->dy_blocks) +
                    lstm_blocked_offset(blocked, rows, io->dy_blocks);
        for (size_t block = first; block < end; block++)
            differentiate(s, gradients, step, rows, block,
                          outer ? io->dy + dy + (io->dy_block + block) * stride : NULL);
    }
}
