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

/* A product of rows of a step: out [rows, out_blocks] = a weights. */
typedef struct {
    lstm_operand a;
    size_t a_blocks;
    const lstm_packed *weights;
    float *out;
    size_t out_blocks;
} product;

/* The panel of a product from a block on, for the rows of the range up to active. */
static void multiply_panel(backward *b, const product *p, size_t block, size_t active)
{
    const lstm_blocked *blocked = &b->s->tape->batch.blocked;
    size_t stride = lstm_blocked_stride(blocked);
    size_t depth = lstm_packed_depth(blocked->kernels, p->a.segments, p->a.channels);
    lstm_rows rows;
    for (size_t row = b->s->range->row_start; row < active; row += rows.count) {
        rows = lstm_blocked_rows(blocked, row, active);
        lstm_operand a = p->a;
        a.data += lstm_blocked_offset(blocked, rows, p->a_blocks);
        blocked->kernels->product(&(lstm_panel_product){
            .rows = rows.count,
            .stride = stride,
            .a = a,
            .weights = p->weights + block * depth * LSTM_BLOCK,
            .blocks =
                common_smaller(p->out_blocks - block, blocked->kernels->product_blocks),
            .out = p->out + lstm_blocked_offset(blocked, rows, p->out_blocks) +
                   block * stride,
            .parts = a.channels > LSTM_PART_CHANNELS,
            .prefetch = next_prefetch(b),
        });
    }
}

/* The blocks of the range. */
static void multiply(backward *b, const product *p, size_t active)
{
    size_t unit = b->s->tape->batch.blocked.kernels->product_blocks;
    size_t block = lstm_range_block(b->s->range, p->out_blocks, unit, 0);
    size_t end = lstm_range_block(b->s->range, p->out_blocks, unit, 1);
    for (; block < end; block += unit)
        multiply_panel(b, p, block, active);
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
    multiply(b,
             &(product){.a = {dp, 1, s->weights->state},
                        .a_blocks = s->state,
                        .weights = s->direction->back_project,
                        .out = b->gradients->du,
                        .out_blocks = s->hidden},
             active);
    lstm_range_sync(s->range);
}

/* The product of the gradients of the gates at a step. */
static product gates_product(const backward *b, size_t step, const lstm_packed *weights,
                             float *out, size_t out_blocks)
{
    const lstm_steps *s = b->s;
    size_t blocks = LSTM_GATES * s->hidden;
    return (product){
        .a = {s->at->gates + step * lstm_blocked_step(&s->tape->batch.blocked, blocks),
              LSTM_GATES, s->weights->config.hidden},
        .a_blocks = blocks,
        .weights = weights,
        .out = out,
        .out_blocks = out_blocks,
    };
}

/* dh of the previous step. */
static product state_product(const backward *b, size_t step)
{
    return gates_product(b, step, b->s->direction->back_h, b->gradients->dh,
                         b->s->state);
}

/* dx of a step. */
static product input_product(const backward *b, size_t step)
{
    const lstm_steps *s = b->s;
    float *dx =
        b->io->dx + step * lstm_blocked_step(&s->tape->batch.blocked, s->x_blocks);
    return gates_product(b, step, s->direction->back_x, dx, s->x_blocks);
}

static size_t active_rows(const lstm_steps *s, size_t step)
{
    return common_smaller(s->tape->batch.active[step], s->range->row_end);
}

/* dx of some steps, a panel of weights after the other. */
static void multiply_inputs(backward *b, size_t start, size_t end)
{
    const lstm_steps *s = b->s;
    size_t unit = s->tape->batch.blocked.kernels->product_blocks;
    size_t block = lstm_range_block(s->range, s->x_blocks, unit, 0);
    size_t last = lstm_range_block(s->range, s->x_blocks, unit, 1);
    for (; block < last; block += unit)
        for (size_t step = end; step-- > start;) {
            product dx = input_product(b, step);
            multiply_panel(b, &dx, block, active_rows(s, step));
        }
}

/* Computes dh of the previous step, and dx of this step unless it comes later. */
static void multiply_gates(backward *b, size_t step, size_t active, bool with_dx)
{
    if (step > 0 || b->io->dh0) {
        product dh = state_product(b, step);
        multiply(b, &dh, active);
    }
    if (with_dx) {
        product dx = input_product(b, step);
        multiply(b, &dx, active);
    }
}

void lstm_backward_direction(const lstm_steps *s, const lstm_state_gradients *gradients,
                             const lstm_io_gradients *io, size_t start, size_t end)
{
    backward b = {.s = s, .gradients = gradients, .io = io};
    bool later = s->tape->inputs_apart && end - start > 1;
    for (size_t step = end; step-- > start;) {
        size_t active = active_rows(s, step);
        set_prefetches(&b, step);
        if (gradients->du)
            differentiate_projection(&b, step, active);
        lstm_cell_backward(s, gradients, io, step, active);
        lstm_range_sync(s->range);
        multiply_gates(&b, step, active, io->dx && !later);
        lstm_range_sync(s->range);
    }
    if (io->dx && later) {
        multiply_inputs(&b, start, end);
        lstm_range_sync(s->range);
    }
}
