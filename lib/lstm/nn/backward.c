/*
 * Backward through time.
 *
 * From the last step to the first, each step computes the gradients of the gates from
 * those of h and c, in place of the gates; then dh = dgates W_hh for the previous step,
 * and dx = dgates W_ih. With a projection, the gradient of the projected h is kept as
 * dp for the gradient of W_hr, and the gates use du = dp W_hr instead of dh. A range is
 * some rows, or some columns of the products of all rows with a barrier after each
 * product.
 */
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/lstm/nn/pass.h"

/* Number of buffers that the next step reads: gates, tanh(c), c and dy. */
enum { PREFETCHES = 4 };

typedef struct {
    const lstm_steps *s;
    const lstm_state_gradients *gradients;
    const lstm_io_gradients *io;
    /** Lines to prefetch into the second-level cache during the products of a step.
     * This saves 3 to 5% of the backward pass of the experiment. */
    lstm_prefetch prefetch[PREFETCHES];
} backward;

/* The rows of the range at a step of a buffer with this number of blocks. */
static lstm_prefetch rows_of(const backward *b, const float *buffer, size_t blocks,
                             size_t step)
{
    const lstm_blocked *blocked = &b->s->tape->batch.blocked;
    size_t start = b->s->range->row_start, end = b->s->range->row_end;
    size_t active = b->s->tape->batch.active[step];
    end = common_smaller(active, end);
    if (!buffer || start >= end)
        return (lstm_prefetch){0};
    lstm_rows first = lstm_blocked_rows(blocked, start, end);
    return (lstm_prefetch){
        .address = buffer + step * lstm_blocked_step(blocked, blocks) +
                   lstm_blocked_offset(blocked, first, blocks),
        .lines = (end - start) * blocks,
    };
}

/* Sets the lines to prefetch. With split_units a thread reads too little of each row
 * for this. */
static void set_prefetches(backward *b, size_t step)
{
    memset(b->prefetch, 0, sizeof(b->prefetch));
    if (step == 0 || b->s->range->split_units)
        return;
    const lstm_activations *at = b->s->at;
    b->prefetch[0] = rows_of(b, at->gates, LSTM_GATES * b->s->hidden, step - 1);
    b->prefetch[1] = rows_of(b, at->tanh_c, b->s->hidden, step - 1);
    b->prefetch[2] = rows_of(b, at->c, b->s->hidden, step - 1);
    b->prefetch[3] = rows_of(b, b->io->dy, b->io->dy_blocks, step - 1);
}

static lstm_prefetch *next_prefetch(backward *b)
{
    for (size_t i = 0; i < PREFETCHES; i++)
        if (b->prefetch[i].lines > 0)
            return &b->prefetch[i];
    return NULL;
}

/* out [rows, out_blocks] = a weights, for the rows up to active and the blocks of the
 * range.
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
                .blocks = common_smaller(out_blocks - block, unit),
                .out = out + lstm_blocked_offset(blocked, rows, out_blocks) +
                       block * stride,
                .parts = a.channels > LSTM_PART_CHANNELS,
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
    const lstm_io_gradients *io = b->io;
    size_t stride = lstm_blocked_stride(blocked);
    size_t offset = lstm_blocked_offset(blocked, rows, b->s->state) + block * stride;
    memcpy(dp + offset, b->gradients->dh + offset,
           rows.count * LSTM_BLOCK * sizeof(float));
    if (!io->dy)
        return;
    const float *dy = io->dy + step * lstm_blocked_step(blocked, io->dy_blocks) +
                      lstm_blocked_offset(blocked, rows, io->dy_blocks) +
                      (io->dy_block + block) * stride;
    for (size_t i = 0; i < rows.count * LSTM_BLOCK; i++)
        dp[offset + i] += dy[i];
}

/* With a projection: stores dp = dh + dy, and computes du = dp W_hr. */
static void differentiate_projection(backward *b, size_t step, size_t active)
{
    const lstm_steps *s = b->s;
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t first = lstm_range_block(s->range, s->state, 1, 0);
    size_t end = lstm_range_block(s->range, s->state, 1, 1);
    float *dp = b->gradients->dp + step * lstm_blocked_step(blocked, s->state);
    lstm_rows rows;
    for (size_t row = s->range->row_start; row < active; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, active);
        for (size_t block = first; block < end; block++)
            add_outer_gradient(b, step, rows, block, dp);
    }
    lstm_blocked_round(blocked, s->range->row_start, active, s->state, first, end, dp);
    lstm_range_sync(s->range);
    multiply(b, (lstm_operand){dp, 1, s->weights->state}, s->state,
             s->direction->back_project, b->gradients->du, s->hidden, active);
    lstm_range_sync(s->range);
}

/* Computes dh of the previous step and dx of this step. */
static void multiply_gates(backward *b, size_t step, size_t active)
{
    const lstm_steps *s = b->s;
    const lstm_blocked *blocked = &s->tape->batch.blocked;
    size_t blocks = LSTM_GATES * s->hidden;
    lstm_operand gates = {s->at->gates + step * lstm_blocked_step(blocked, blocks),
                          LSTM_GATES, s->weights->config.hidden};
    if (step > 0 || b->io->dh0)
        multiply(b, gates, blocks, s->direction->back_h, b->gradients->dh, s->state,
                 active);
    if (b->io->dx)
        multiply(b, gates, blocks, s->direction->back_x,
                 b->io->dx + step * lstm_blocked_step(blocked, s->x_blocks),
                 s->x_blocks, active);
}

void lstm_backward_direction(const lstm_steps *s, const lstm_state_gradients *gradients,
                             const lstm_io_gradients *io, size_t start, size_t end)
{
    backward b = {.s = s, .gradients = gradients, .io = io};
    for (size_t step = end; step-- > start;) {
        size_t active = s->tape->batch.active[step];
        active = common_smaller(active, s->range->row_end);
        set_prefetches(&b, step);
        if (gradients->du)
            differentiate_projection(&b, step, active);
        lstm_cell_backward(s, gradients, io, step, active);
        lstm_range_sync(s->range);
        multiply_gates(&b, step, active);
        lstm_range_sync(s->range);
    }
}
