/*
 * Backward through time.
 *
 * From the last step to the first: the gradients of the gates from those of h and c, in
 * place of the gates; then dh of the step before = dgates W_hh, and dx = dgates W_ih.
 * With a projection, dh of the projected h is kept for the gradient of W_hr, and du =
 * dh W_hr takes its place. A thread has rows, or columns of the products with a barrier
 * after each.
 */
#include <string.h>

#include "lib/lstm/nn/layer.h"

/* What the step before reads: gates, tanh(c), c and dy. */
enum { AHEAD_BUFFERS = 4 };

typedef struct {
    const lstm_layer *layer;
    const lstm_run *run;
    const lstm_part *part;
    const lstm_direction *direction;
    const lstm_activations *at;
    const lstm_slopes *slopes;
    const float *dy;
    size_t dy_blocks, dy_block;
    float *dx;
    /** Blocks of a step of the input, the state and the hidden units. */
    size_t x_blocks, state, hidden;
    /** Brought into the second level cache during the products of a step, which saves
     * 3 to 5% of the sweep back of the experiment. */
    lstm_prefetch ahead[AHEAD_BUFFERS];
} backward;

/* The part's rows of a buffer of so many blocks at a step. */
static lstm_prefetch rows_ahead(const backward *b, const float *buffer, size_t blocks,
                                size_t step)
{
    const lstm_run *run = b->run;
    size_t end = b->part->row_end, active = run->active[step];
    end = active < end ? active : end;
    if (!buffer || b->part->row_start >= end)
        return (lstm_prefetch){0};
    lstm_rows first = lstm_run_rows(run, b->part->row_start, end);
    return (lstm_prefetch){
        .address = buffer + step * lstm_run_step(run, blocks) +
                   lstm_run_offset(run, first, blocks),
        .lines = (end - b->part->row_start) * blocks,
    };
}

/* Threads that own units of all rows read too little of them for this. */
static void look_ahead(backward *b, size_t step)
{
    memset(b->ahead, 0, sizeof(b->ahead));
    if (step == 0 || b->part->split_units)
        return;
    b->ahead[0] = rows_ahead(b, b->at->gates, LSTM_GATES * b->hidden, step - 1);
    b->ahead[1] = rows_ahead(b, b->at->tanh_c, b->hidden, step - 1);
    b->ahead[2] = rows_ahead(b, b->at->c, b->hidden, step - 1);
    b->ahead[3] = rows_ahead(b, b->dy, b->dy_blocks, step - 1);
}

static lstm_prefetch *next_ahead(backward *b)
{
    for (size_t i = 0; i < AHEAD_BUFFERS; i++)
        if (b->ahead[i].lines > 0)
            return &b->ahead[i];
    return NULL;
}

/* out [rows, blocks of it] = a weights, for the part's rows below active and its
 * blocks. */
static void multiply(backward *b, lstm_operand a, size_t a_blocks,
                     const lstm_packed *weights, float *out, size_t out_blocks,
                     size_t active)
{
    const lstm_run *run = b->run;
    size_t unit = run->kernels->product_blocks, stride = lstm_run_stride(run);
    size_t depth = lstm_packed_depth(run->kernels, a.segments, a.channels);
    size_t end = lstm_part_block(b->part, out_blocks, unit, 1);
    const float *data = a.data;
    for (size_t block = lstm_part_block(b->part, out_blocks, unit, 0); block < end;
         block += unit) {
        lstm_rows rows;
        for (size_t row = b->part->row_start; row < active; row += rows.count) {
            rows = lstm_run_rows(run, row, active);
            a.data = data + lstm_run_offset(run, rows, a_blocks);
            run->kernels->product(&(lstm_panel_product){
                .rows = rows.count,
                .stride = stride,
                .a = a,
                .weights = weights + block * depth * LSTM_BLOCK,
                .blocks = out_blocks - block < unit ? out_blocks - block : unit,
                .out = out + lstm_run_offset(run, rows, out_blocks) + block * stride,
                .prefetch = next_ahead(b),
            });
        }
    }
}

/* Gradients of the gates of a step, for the units and rows of the part. */
static void differentiate_cells(const backward *b, size_t step, size_t active)
{
    const lstm_run *run = b->run;
    const lstm_activations *at = b->at;
    size_t stride = lstm_run_stride(run), hidden_step = lstm_run_step(run, b->hidden);
    bool project = b->direction->weight_hr;
    lstm_rows rows;
    for (size_t row = b->part->row_start; row < active; row += rows.count) {
        rows = lstm_run_rows(run, row, active);
        size_t end = lstm_part_block(b->part, b->hidden, 1, 1);
        for (size_t block = lstm_part_block(b->part, b->hidden, 1, 0); block < end;
             block++) {
            size_t unit = lstm_run_offset(run, rows, b->hidden) + block * stride;
            const float *dy = b->dy && !project
                                  ? b->dy + step * lstm_run_step(run, b->dy_blocks) +
                                        lstm_run_offset(run, rows, b->dy_blocks) +
                                        (b->dy_block + block) * stride
                                  : NULL;
            bool zero = step == 0 && !run->has_c0;
            run->kernels->cell_gradient(&(lstm_cell_gradient){
                .rows = rows.count,
                .stride = stride,
                .gates = at->gates + step * LSTM_GATES * hidden_step +
                         lstm_run_offset(run, rows, LSTM_GATES * b->hidden) +
                         block * stride,
                .gate_stride = b->hidden * stride,
                .tanh_c = at->tanh_c + step * hidden_step + unit,
                .c_before = zero ? NULL : at->c + step * hidden_step + unit,
                .dh = (project ? b->slopes->du : b->slopes->dh) + unit,
                .dy = dy,
                .dc = b->slopes->dc + unit,
            });
        }
    }
}

/* With a projection: dp = dh + dy is kept, du = dp W_hr. */
static void differentiate_projection(backward *b, size_t step, size_t active)
{
    const lstm_run *run = b->run;
    size_t stride = lstm_run_stride(run);
    float *dp = b->slopes->dp + step * lstm_run_step(run, b->state);
    lstm_rows rows;
    for (size_t row = b->part->row_start; row < active; row += rows.count) {
        rows = lstm_run_rows(run, row, active);
        size_t end = lstm_part_block(b->part, b->state, 1, 1);
        for (size_t block = lstm_part_block(b->part, b->state, 1, 0); block < end;
             block++) {
            size_t place = lstm_run_offset(run, rows, b->state) + block * stride;
            const float *dh = b->slopes->dh + place;
            memcpy(dp + place, dh, rows.count * LSTM_BLOCK * sizeof(float));
            if (!b->dy)
                continue;
            const float *dy = b->dy + step * lstm_run_step(run, b->dy_blocks) +
                              lstm_run_offset(run, rows, b->dy_blocks) +
                              (b->dy_block + block) * stride;
            for (size_t i = 0; i < rows.count * LSTM_BLOCK; i++)
                dp[place + i] += dy[i];
        }
    }
    lstm_run_to_pairs(run, b->part->row_start, active, b->state,
                      lstm_part_block(b->part, b->state, 1, 0),
                      lstm_part_block(b->part, b->state, 1, 1), dp);
    lstm_part_sync(b->part);
    multiply(b, (lstm_operand){dp, 1, b->layer->state}, b->state,
             b->direction->back_project, b->slopes->du, b->hidden, active);
    lstm_part_sync(b->part);
}

void lstm_backward_direction(const lstm_layer *layer, const lstm_run *run,
                             const lstm_part *part, size_t index, size_t start,
                             size_t end, const float *dy, size_t dy_blocks,
                             size_t dy_block, float *dx, bool first_dh)
{
    const lstm_direction *direction = &layer->direction[index];
    backward b = {
        .layer = layer,
        .run = run,
        .part = part,
        .direction = direction,
        .at = &run->at[index],
        .slopes = &layer->scratch.at[index],
        .dy = dy,
        .dy_blocks = dy_blocks,
        .dy_block = dy_block,
        .dx = dx,
        .x_blocks = direction->x_segments * lstm_blocks(direction->x_channels),
        .state = lstm_blocks(layer->state),
        .hidden = lstm_blocks(layer->config.hidden),
    };
    for (size_t step = end; step-- > start;) {
        size_t active =
            run->active[step] < part->row_end ? run->active[step] : part->row_end;
        look_ahead(&b, step);
        if (direction->weight_hr)
            differentiate_projection(&b, step, active);
        differentiate_cells(&b, step, active);
        lstm_part_sync(part);
        lstm_operand gates = {b.at->gates +
                                  step * lstm_run_step(run, LSTM_GATES * b.hidden),
                              LSTM_GATES, layer->config.hidden};
        if (step > 0 || first_dh)
            multiply(&b, gates, LSTM_GATES * b.hidden, direction->back_h, b.slopes->dh,
                     b.state, active);
        if (dx)
            multiply(&b, gates, LSTM_GATES * b.hidden, direction->back_x,
                     dx + step * lstm_run_step(run, b.x_blocks), b.x_blocks, active);
        lstm_part_sync(part);
    }
}
