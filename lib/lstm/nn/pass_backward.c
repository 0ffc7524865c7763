/*
 * A backward pass: one parallel call for all layers and steps, and the weight
 * gradients.
 */
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/nn/copy.h"
#include "lib/lstm/nn/pass.h"

/* Runs the reverse direction in its order of time, and adds its dx. */
static void backward_reverse(const lstm_pass *p, const lstm_steps *s,
                             const lstm_state_gradients *gradients,
                             const lstm_io_gradients *io)
{
    const lstm_batch *batch = &p->tape->batch;
    if (io->dy)
        lstm_copy_reversed(batch, s->range,
                           &(lstm_reversal){.from = io->dy,
                                            .from_blocks = 2 * s->state,
                                            .from_block = s->state,
                                            .to = gradients->dy_reversed,
                                            .to_blocks = s->state,
                                            .blocks = s->state});
    lstm_range_sync(s->range);
    const lstm_io_gradients reversed = {.dy = io->dy ? gradients->dy_reversed : NULL,
                                        .dy_blocks = s->state,
                                        .dx = io->dx ? gradients->dx_reversed : NULL,
                                        .dh0 = io->dh0};
    lstm_backward_direction(s, gradients, &reversed, 0, batch->steps);
    if (io->dx)
        lstm_copy_reversed(batch, s->range,
                           &(lstm_reversal){.from = gradients->dx_reversed,
                                            .from_blocks = s->x_blocks,
                                            .to = io->dx,
                                            .to_blocks = s->x_blocks,
                                            .blocks = s->x_blocks,
                                            .add = true});
    lstm_range_sync(s->range);
}

/* Copies dhn and dcn, the initial gradients of the last step. */
static void states_in(const lstm_pass *p, const lstm_range *range, size_t index)
{
    const lstm_state_gradients *at = &p->scratch->at[index];
    const lstm_batch *batch = &p->tape->batch;
    size_t hidden = p->weights->config.hidden;
    lstm_state_in(batch, range, p->dhn, index, p->weights->state, false, at->dh);
    lstm_state_in(batch, range, p->dcn, index, hidden, false, at->dc);
    lstm_range_sync(range);
}

static void states_out(const lstm_pass *p, const lstm_range *range, size_t index)
{
    const lstm_state_gradients *at = &p->scratch->at[index];
    const lstm_batch *batch = &p->tape->batch;
    size_t state = p->weights->state, hidden = p->weights->config.hidden;
    if (p->dh0)
        lstm_first_state_out(batch, range, at->dh, state, false, p->dh0, index);
    if (p->dc0)
        lstm_first_state_out(batch, range, at->dc, hidden, false, p->dc0, index);
}

/* Computes a chunk of a layer; with a reverse direction it is all steps. */
static void backward_layer(const lstm_pass *p, const lstm_range *range,
                           const lstm_chunk *chunk, const lstm_io_gradients *io)
{
    size_t directions = p->weights->directions, l = chunk->layer;
    for (size_t d = 0; d < directions; d++) {
        size_t index = l * directions + d;
        lstm_steps s = lstm_steps_of(p->weights, p->tape, range, index);
        const lstm_state_gradients *gradients = &p->scratch->at[index];
        if (chunk->end == p->tape->batch.steps)
            states_in(p, range, index);
        if (d == 0)
            lstm_backward_direction(&s, gradients, io, chunk->start, chunk->end);
        else
            backward_reverse(p, &s, gradients, io);
        if (chunk->start == 0)
            states_out(p, range, index);
    }
    if (chunk->start == 0 && l > 0 && p->tape->mask[l - 1])
        lstm_apply_mask(p->weights, p->tape, range, l - 1, false, io->dx);
    lstm_range_sync(range);
}

static void dout_in(const lstm_pass *p, const lstm_range *range)
{
    const lstm_weights *weights = p->weights;
    if (p->dout)
        lstm_copy_in(&p->tape->batch, range,
                     lstm_sequence_of(p->dout, weights->config.batch_first), 0,
                     p->tape->batch.steps, weights->directions, weights->state, false,
                     p->scratch->dy);
    lstm_range_sync(range);
}

static void run_task(const lstm_pass *p, const lstm_range *range,
                     const lstm_chunk *chunk)
{
    const lstm_layer_config *config = &p->weights->config;
    size_t steps = p->tape->batch.steps;
    size_t above = config->layers - 1 - chunk->layer;
    /* The two buffers are swapped after each layer. */
    float *buffers[] = {p->scratch->dy, p->scratch->dx};
    if (above == 0 && chunk->end == steps)
        dout_in(p, range);
    lstm_io_gradients io = {
        .dy = p->dout || above > 0 ? buffers[above % 2] : NULL,
        .dy_blocks = p->weights->directions * lstm_blocks(p->weights->state),
        .dx = buffers[1 - above % 2],
        .dh0 = p->dh0,
    };
    if (chunk->layer == 0)
        io.dx = p->dx ? p->scratch->dx_input : NULL;
    backward_layer(p, range, chunk, &io);
    if (chunk->layer == 0 && chunk->start == 0 && p->dx)
        lstm_copy_out(&p->tape->batch, range, io.dx, 0, steps, 1, config->inputs, false,
                      lstm_sequence_of(p->dx, config->batch_first));
}

static void backward_on_thread(void *context, lstm_team *team, size_t thread,
                               size_t threads)
{
    const lstm_pass *p = context;
    uint64_t mode = lstm_denormals_off();
    lstm_pass_run_tasks(p, team, thread, threads, true, run_task);
    lstm_team_wait(team);
    lstm_weight_gradients(p->weights, p->tape, p->scratch, thread, threads);
    lstm_denormals_restore(mode);
}

void lstm_pass_backward(const lstm_pass *p)
{
    lstm_tape *tape = p->tape;
    tape->batch.blocked.kernels = lstm_weights_kernels(p->weights, true);
    lstm_queues_reset(tape->queues, lstm_tape_queues(tape));
    lstm_queues_reset(p->scratch->queues, p->scratch->queue_count);
    lstm_pool_run(backward_on_thread, (void *)p,
                  lstm_partition_threads(p->weights, tape));
}
