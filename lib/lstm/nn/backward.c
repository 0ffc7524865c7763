/*
 * Backward through time.
 *
 * From the last step to the first: the gradients of the gates from those of h and c, in
 * place of the gates; then dh of the step before = dgates W_hh, and dx = dgates W_ih.
 * With a projection, dh of the projected h is kept as dp for the gradient of W_hr, and
 * du = dp W_hr replaces it. A range is some rows, or some columns of the products of
 * all rows with a barrier after each.
 */
#include <string.h>

#include "lib/lstm/nn/pass.h"

/* What the next step to run reads: gates, tanh(c), c and dy. */
enum { PREFETCHES = 4 };

typedef struct {
    const lstm_steps *s;
    const lstm_slopes *slopes;
    const lstm_flow *flow;
    /** Prefetched into the second level cache during the products of a step, which
     *  saves 3 to 5% of the backward pass of the experiment. */
    lstm_prefetch prefetch[PREFETCHES];
} backward;

/* The range's rows of a buffer of so many blocks at a step. */
static lstm_prefetch rows_of(const backward *b, const float *buffer, size_t blocks,
                             size_t step)
{
    const lstm_blocked *blocked = &b->s->tape->batch.blocked;
    size_t start = b->s->range->row_start, end = b->s->range->row_end;
    size_t active = b->s->tape->batch.active[step];
    end = active < end ? active : end;
    if (!buffer || start >= end)
        return (lstm_prefetch){0};
    lstm_rows first = lstm_blocked_rows(blocked, start, end);
    return (lstm_prefetch){
        .address = buffer + step * lstm_blocked_step(blocked, blocks) +
                   lstm_blocked_offset(blocked, first, blocks),
        .lines = (end - start) * blocks,
    };
}

/* Threads that own units of all rows read too little of them for this. */
static void set_prefetches(backward *b, size_t step)
{
    memset(b->prefetch, 0, sizeof(b->prefetch));
    if (step == 0 || b->s->range->split_units)
        return;
    const lstm_activations *at = b->s->at;
    b->prefetch[0] = rows_of(b, at->gates, LSTM_GATES * b->s->hidden, step - 1);
    b->prefetch[1] = rows_of(b, at->tanh_c, b->s->hidden, step - 1);
    b->prefetch[2] = rows_of(b, at->c, b->s->hidden, step - 1);
    b->prefetch[3] = rows_of(b, b->flow->dy, b->flow->dy_blocks, step - 1);
}

static lstm_prefetch *next_prefetch(backward *b)
{
    for (size_t i = 0; i < PREFETCHES; i++)
        if (b->prefetch[i].lines > 0)
            return &b->prefetch[i];
    return NULL;
}

/* out [rows, out_blocks] = a weights, for the range's rows up to active and its blocks.
 */
static void multiply(backward *b, lstm_operand a, size_t a_blocks,
                     const lstm_packed *weights, float *out, size_t out_blocks,
                     size_t active)
{
    const lstm_blocked *blocked = &b->s->tape->batch.blocked;
    const lstm_range *range = b->s->range;
    size_t unit = blocked->kernels->product_blocks;
    size_t stride = lstm_blocked_stride(blocked);
    size_t depth = lstm_packed_depth(blocked->kernels, a.segments, a.channels);
    size_t end = lstm_range_block(range, out_blocks, unit, 1);
    const float *data = a.data;
    for (size_t block = lstm_range_block(range, out_blocks, unit, 0); block < end;
         block += unit) {
        lstm_rows rows;
        for (size_t row = range->row_start; row < active; row += rows.count) {
            rows = lstm_blocked_rows(blocked, row, active);
            a.data = data + lstm_blocked_offset(blocked, rows, a_blocks);
            blocked->kernels->product(&(lstm_panel_product){
                .rows = rows.count,
                .stride = stride,
                .a = a,
                .weights = weights + block * depth * LSTM_BLOCK,
                .blocks = out_blocks - block < unit ? out_blocks - block : unit,
                .out = out + lstm_blocked_offset(blocked, rows, out_blocks) +
                       block * stride,
                .prefetch = next_prefetch(b),
            });
        }
    }
}

/* dp = dh + dy for one block of some rows. */
static void add_outer_gradient(const backward *b, size_t step, lstm_rows rows,
                               size_t block, float *dp)
{
    const lstm_blocked *blocked = &b->s->tape->batch.blocked;
    const lstm_flow *flow = b->flow;
    size_t stride = lstm_blocked_stride(blocked);
    size_t offset = lstm_blocked_offset(blocked, rows, b->s->state) + block * stride;
    memcpy(dp + offset, b->slopes->dh + offset,
           rows.count * LSTM_BLOCK * sizeof(float));
    if (!flow->dy)
        return;
    const float *dy = flow->dy + step * lstm_blocked_step(blocked, flow->dy_blocks) +
                      lstm_blocked_offset(blocked, rows, flow->dy_blocks) +
                      (flow->dy_block + block) * stride;
    for (size_t i = 0; i < rows.count * LSTM_BLOCK; i++)
        dp[offset + i] += dy[i];
}

/* With a projection: dp = dh + dy is kept, du = dp W_hr. */
static void differentiate_projection(backward *b, size_t step, size_t active)
{
    const lstm_steps *s = b->s;
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t first = lstm_range_block(s->range, s->state, 1, 0);
    size_t end = lstm_range_block(s->range, s->state, 1, 1);
    float *dp = b->slopes->dp + step * lstm_blocked_step(blocked, s->state);
    lstm_rows rows;
    for (size_t row = s->range->row_start; row < active; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, active);
        for (size_t block = first; block < end; block++)
            add_outer_gradient(b, step, rows, block, dp);
    }
    lstm_blocked_to_pairs(blocked, s->range->row_start, active, s->state, first, end,
                          dp);
    lstm_range_sync(s->range);
    multiply(b, (lstm_operand){dp, 1, s->weights->state}, s->state,
             s->direction->back_project, b->slopes->du, s->hidden, active);
    lstm_range_sync(s->range);
}

/* dh of the step before and dx of this one. */
static void multiply_gates(backward *b, size_t step, size_t active)
{
    const lstm_steps *s = b->s;
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t blocks = LSTM_GATES * s->hidden;
    lstm_operand gates = {s->at->gates + step * lstm_blocked_step(blocked, blocks),
                          LSTM_GATES, s->weights->config.hidden};
    if (step > 0 || b->flow->dh0)
        multiply(b, gates, blocks, s->direction->back_h, b->slopes->dh, s->state,
                 active);
    if (b->flow->dx)
        multiply(b, gates, blocks, s->direction->back_x,
                 b->flow->dx + step * lstm_blocked_step(blocked, s->x_blocks),
                 s->x_blocks, active);
}

void lstm_backward_direction(const lstm_steps *s, const lstm_slopes *slopes,
                             const lstm_flow *flow, size_t start, size_t end)
{
    backward b = {.s = s, .slopes = slopes, .flow = flow};
    for (size_t step = end; step-- > start;) {
        size_t active = s->tape->batch.active[step];
        active = active < s->range->row_end ? active : s->range->row_end;
        set_prefetches(&b, step);
        if (slopes->du)
            differentiate_projection(&b, step, active);
        lstm_cell_backward(s, slopes, flow, step, active);
        lstm_range_sync(s->range);
        multiply_gates(&b, step, active);
        lstm_range_sync(s->range);
    }
}
