/*
 * A forward pass: one parallel call for all layers and steps.
 *
 * An evaluation runs a window of steps through all layers, then the next window, so
 * that its memory does not grow with the length of the sequence. A reverse direction
 * needs all steps at once.
 */
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/nn/copy.h"
#include "lib/lstm/nn/pass.h"

static void states_in(const lstm_pass *p, const lstm_range *range)
{
    const lstm_weights *weights = p->weights;
    const lstm_batch *batch = &p->tape->batch;
    for (size_t i = 0; i < lstm_weights_count(weights); i++) {
        const lstm_activations *at = &p->tape->at[i];
        lstm_state_in(batch, range, p->h0, i, weights->state, true, at->h);
        lstm_state_in(batch, range, p->c0, i, weights->config.hidden, false, at->c);
    }
}

/* Copies the initial states, and the input of a window. */
static void inputs_in(const lstm_pass *p, const lstm_range *range,
                      const lstm_chunk *chunk)
{
    const lstm_layer_config *config = &p->weights->config;
    if (chunk->window == 0)
        states_in(p, range);
    lstm_copy_in(&p->tape->batch, range, lstm_sequence_of(p->x, config->batch_first),
                 chunk->window, chunk->window_end, 1, config->inputs, true, p->tape->x);
    lstm_range_sync(range);
}

/* Writes the output of a layer in the caller's order of time, unless it is h. */
static void join_directions(const lstm_pass *p, const lstm_range *range, size_t l)
{
    const lstm_tape *tape = p->tape;
    size_t state = lstm_blocks(p->weights->state), directions = p->weights->directions;
    if (tape->y[l] == tape->at[l * directions].h_out)
        return;
    for (size_t d = 0; d < directions; d++)
        lstm_copy_reversed(&tape->batch, range,
                           &(lstm_reversal){.from = tape->at[l * directions + d].h_out,
                                            .from_blocks = state,
                                            .to = tape->y[l],
                                            .to_blocks = directions * state,
                                            .to_block = d * state,
                                            .blocks = state,
                                            .keep_order = d == 0,
                                            .operand = true});
    if (tape->mask[l])
        lstm_apply_mask(p->weights, tape, range, l, true, tape->y[l]);
    lstm_range_sync(range);
}

/* Reverses the input of a layer for its reverse direction. */
static void reverse_input(const lstm_pass *p, const lstm_range *range, size_t l,
                          const lstm_steps *s)
{
    lstm_copy_reversed(&p->tape->batch, range,
                       &(lstm_reversal){.from = l ? p->tape->y[l - 1] : p->tape->x,
                                        .from_blocks = s->x_blocks,
                                        .to = s->at->x_reversed,
                                        .to_blocks = s->x_blocks,
                                        .blocks = s->x_blocks,
                                        .operand = true});
    lstm_range_sync(range);
}

/* Computes a chunk of a layer; with a reverse direction it is the whole window. */
static void forward_layer(const lstm_pass *p, const lstm_range *range,
                          const lstm_chunk *chunk)
{
    size_t directions = p->weights->directions;
    for (size_t d = 0; d < directions; d++) {
        lstm_steps s =
            lstm_steps_of(p->weights, p->tape, range, chunk->layer * directions + d);
        if (d == 1)
            reverse_input(p, range, chunk->layer, &s);
        lstm_forward_direction(&s, chunk);
    }
}

static void states_out(const lstm_pass *p, const lstm_range *range,
                       const lstm_chunk *chunk)
{
    const lstm_batch *batch = &p->tape->batch;
    size_t start = chunk->window, end = chunk->window_end;
    size_t state = p->weights->state, hidden = p->weights->config.hidden;
    for (size_t i = 0; i < lstm_weights_count(p->weights); i++) {
        const lstm_activations *at = &p->tape->at[i];
        if (p->hn)
            lstm_state_out(batch, range, at->h, start, end, state, true, p->hn, i);
        if (p->cn)
            lstm_state_out(batch, range, at->c, start, end, hidden, false, p->cn, i);
        if (end < batch->steps) {
            lstm_state_carry(batch, range, at->h, end - start, lstm_blocks(state));
            lstm_state_carry(batch, range, at->c, end - start, lstm_blocks(hidden));
        }
    }
    lstm_range_sync(range);
}

static void run_task(const lstm_pass *p, const lstm_range *range,
                     const lstm_chunk *chunk)
{
    const lstm_weights *weights = p->weights;
    if (chunk->layer == 0 && chunk->first)
        inputs_in(p, range, chunk);
    forward_layer(p, range, chunk);
    if (!chunk->last)
        return;
    join_directions(p, range, chunk->layer);
    if (chunk->layer + 1 < weights->config.layers)
        return;
    if (p->out)
        lstm_copy_out(&p->tape->batch, range, p->tape->y[chunk->layer], chunk->window,
                      chunk->window_end, weights->directions, weights->state, true,
                      lstm_sequence_of(p->out, weights->config.batch_first));
    states_out(p, range, chunk);
}

void lstm_pass_run_tasks(const lstm_pass *p, lstm_team *team, size_t thread,
                         size_t threads, bool backward, lstm_pass_task run)
{
    lstm_partition partition =
        lstm_partition_create(p->weights, p->tape, threads, backward);
    lstm_task task = lstm_partition_begin(&partition, p->tape, thread, threads);
    while (lstm_task_take(&task)) {
        lstm_chunk chunk = lstm_partition_chunk(&partition, task.index);
        lstm_range range = lstm_partition_range(&partition, p->tape, team, task.queue);
        run(p, &range, &chunk);
        lstm_task_finish(&task);
    }
}

static void forward_on_thread(void *context, lstm_team *team, size_t thread,
                              size_t threads)
{
    uint64_t mode = lstm_denormals_off();
    lstm_pass_run_tasks(context, team, thread, threads, false, run_task);
    lstm_denormals_restore(mode);
}

void lstm_pass_forward(const lstm_pass *p)
{
    lstm_queues_reset(p->tape->queues, lstm_tape_queues(p->tape));
    lstm_pool_run(forward_on_thread, (void *)p,
                  lstm_partition_threads(p->weights, p->tape));
}
