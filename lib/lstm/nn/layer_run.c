/*
 * What a forward or backward does, in order.
 *
 * A region of the pool does a whole forward, or a whole backward with its weight
 * gradients. Steps of an evaluation go through all layers in chunks, so that memory
 * does not grow with the length of the sequence, unless a reverse direction needs all
 * of it.
 */
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Axes of steps and rows in a tensor of a sequence. */
static size_t step_axis(const lstm_layer *layer)
{
    return layer->config.batch_first ? 1 : 0;
}

static void copy_in(const lstm_call *c, const lstm_part *part, const lstm_tensor *from,
                    size_t start, size_t end, size_t segments, size_t channels,
                    bool operand, float *to)
{
    size_t step = step_axis(c->layer);
    lstm_copy_in(&c->tape->run, part, from->data, from->strides[step],
                 from->strides[1 - step], from->strides[2], start, end, segments,
                 channels, operand, to);
}

static void copy_out(const lstm_call *c, const lstm_part *part, const float *from,
                     size_t start, size_t end, size_t segments, size_t channels,
                     bool operand, lstm_tensor *to)
{
    size_t step = step_axis(c->layer);
    lstm_copy_out(&c->tape->run, part, from, start, end, segments, channels, operand,
                  to->data, to->strides[step], to->strides[1 - step], to->strides[2]);
}

/* Forward -----------------------------------------------------------------------------
 */

static void states_in(const lstm_call *c, const lstm_part *part)
{
    const lstm_layer *layer = c->layer;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_activations *at = &c->tape->run.at[i];
        lstm_state_in(&c->tape->run, part, c->h0, i, layer->state, true, at->h);
        lstm_state_in(&c->tape->run, part, c->c0, i, layer->config.hidden, false,
                      at->c);
    }
}

/* The output of a layer in the caller's order of time, where that is not h itself. */
static void join_directions(const lstm_call *c, const lstm_part *part, size_t l)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    size_t state = lstm_blocks(layer->state), directions = layer->directions;
    if (run->y[l] == run->at[l * directions].h + lstm_run_step(run, state))
        return;
    for (size_t d = 0; d < directions; d++)
        lstm_copy_reversed(run, part,
                           &(lstm_reversal){.from = run->at[l * directions + d].h +
                                                    lstm_run_step(run, state),
                                            .from_blocks = state,
                                            .to = run->y[l],
                                            .to_blocks = directions * state,
                                            .to_block = d * state,
                                            .blocks = state,
                                            .straight = d == 0,
                                            .operand = true});
    if (run->mask[l])
        lstm_apply_mask(layer, run, part, l, true, run->y[l]);
    lstm_part_sync(part);
}

/* A layer through steps start to end of the chunk; a reverse direction needs all of it.
 */
static void forward_layer(const lstm_call *c, const lstm_part *part, size_t l,
                          size_t chunk, size_t start, size_t end)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    for (size_t d = 0; d < layer->directions; d++) {
        size_t i = l * layer->directions + d;
        const lstm_direction *direction = &layer->direction[i];
        size_t blocks = direction->x_segments * lstm_blocks(direction->x_channels);
        if (d == 1) {
            lstm_copy_reversed(run, part,
                               &(lstm_reversal){.from = l ? run->y[l - 1] : run->x,
                                                .from_blocks = blocks,
                                                .to = run->at[i].x_reversed,
                                                .to_blocks = blocks,
                                                .blocks = blocks,
                                                .operand = true});
            lstm_part_sync(part);
        }
        lstm_forward_direction(layer, run, part, i, chunk, start, end);
    }
}

static void states_out(const lstm_call *c, const lstm_part *part, size_t start,
                       size_t end)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_activations *at = &run->at[i];
        if (c->hn)
            lstm_state_out(run, part, at->h, start, end, layer->state, true, c->hn, i);
        if (c->cn)
            lstm_state_out(run, part, at->c, start, end, layer->config.hidden, false,
                           c->cn, i);
        if (end < run->steps) {
            lstm_state_carry(run, part, at->h, end - start, lstm_blocks(layer->state));
            lstm_state_carry(run, part, at->c, end - start,
                             lstm_blocks(layer->config.hidden));
        }
    }
    lstm_part_sync(part);
}

/* Slices of a part: of each chunk of steps its layers, of each layer its pieces. */
static void forward_slice(const lstm_call *c, const lstm_part *part,
                          const lstm_split *split, size_t slice)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    size_t layers = layer->config.layers;
    size_t piece = slice % split->pieces, l = slice / split->pieces % layers;
    size_t chunk = slice / split->pieces / layers * run->capacity;
    size_t chunk_end = lstm_run_chunk_end(run, chunk);
    size_t start = least(chunk + piece * split->steps, chunk_end);
    if (l == 0 && piece == 0) {
        if (chunk == 0)
            states_in(c, part);
        copy_in(c, part, c->x, chunk, chunk_end, 1, layer->config.inputs, true, run->x);
        lstm_part_sync(part);
    }
    forward_layer(c, part, l, chunk, start, least(start + split->steps, chunk_end));
    if (piece + 1 < split->pieces)
        return;
    join_directions(c, part, l);
    if (l + 1 < layers)
        return;
    if (c->out)
        copy_out(c, part, run->y[l], chunk, chunk_end, layer->directions, layer->state,
                 true, c->out);
    states_out(c, part, chunk, chunk_end);
}

static void forward_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const lstm_call *c = work;
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    lstm_split split = lstm_run_split(layer, run, shares, false);
    size_t chunks = (run->steps + run->capacity - 1) / run->capacity;
    lstm_task task = lstm_run_task(
        run, &split, chunks * layer->config.layers * split.pieces, share, shares);
    uint64_t mode = lstm_denormals_off();
    while (lstm_task_take(&task)) {
        lstm_part part = lstm_run_part(run, team, task.queue, split.parts);
        forward_slice(c, &part, &split, task.index);
        lstm_task_finish(&task);
    }
    lstm_denormals_restore(mode);
}

void lstm_run_forward(const lstm_call *call)
{
    lstm_run *run = &call->tape->run;
    lstm_queues_reset(run->chains, run->chain_count);
    lstm_pool_run(forward_share, (void *)call, lstm_run_shares(call->layer, run));
}

/* Backward ----------------------------------------------------------------------------
 */

/* The reverse direction: its gradients in its order of time, and dx back and added. */
static void backward_reverse(const lstm_call *c, const lstm_part *part, size_t index,
                             const float *dy, float *dx)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    const lstm_direction *direction = &layer->direction[index];
    const lstm_slopes *at = &layer->scratch.at[index];
    size_t state = lstm_blocks(layer->state);
    size_t inputs = direction->x_segments * lstm_blocks(direction->x_channels);
    if (dy)
        lstm_copy_reversed(run, part,
                           &(lstm_reversal){.from = dy,
                                            .from_blocks = 2 * state,
                                            .from_block = state,
                                            .to = at->dy_reversed,
                                            .to_blocks = state,
                                            .blocks = state});
    lstm_part_sync(part);
    lstm_backward_direction(layer, run, part, index, 0, run->steps,
                            dy ? at->dy_reversed : NULL, state, 0,
                            dx ? at->dx_reversed : NULL, c->dh0);
    if (dx)
        lstm_copy_reversed(run, part,
                           &(lstm_reversal){.from = at->dx_reversed,
                                            .from_blocks = inputs,
                                            .to = dx,
                                            .to_blocks = inputs,
                                            .blocks = inputs,
                                            .add = true});
    lstm_part_sync(part);
}

static void gradient_states(const lstm_call *c, const lstm_part *part, size_t index,
                            bool in)
{
    const lstm_layer *layer = c->layer;
    const lstm_slopes *at = &layer->scratch.at[index];
    size_t state = layer->state, hidden = layer->config.hidden;
    if (in) {
        lstm_state_in(&c->tape->run, part, c->dhn, index, state, false, at->dh);
        lstm_state_in(&c->tape->run, part, c->dcn, index, hidden, false, at->dc);
        lstm_part_sync(part);
        return;
    }
    if (c->dh0)
        lstm_first_state_out(&c->tape->run, part, at->dh, state, c->dh0, index);
    if (c->dc0)
        lstm_first_state_out(&c->tape->run, part, at->dc, hidden, c->dc0, index);
}

/* A layer through steps end - 1 to start; a reverse direction needs all of them. */
static void backward_layer(const lstm_call *c, const lstm_part *part, size_t l,
                           size_t start, size_t end, const float *dy, float *dx)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    size_t width = layer->directions * lstm_blocks(layer->state);
    for (size_t d = 0; d < layer->directions; d++) {
        size_t index = l * layer->directions + d;
        if (end == run->steps)
            gradient_states(c, part, index, true);
        if (d == 0)
            lstm_backward_direction(layer, run, part, index, start, end, dy, width, 0,
                                    dx, c->dh0);
        else
            backward_reverse(c, part, index, dy, dx);
        if (start == 0)
            gradient_states(c, part, index, false);
    }
    if (start == 0 && l > 0 && run->mask[l - 1])
        lstm_apply_mask(layer, run, part, l - 1, false, dx);
    lstm_part_sync(part);
}

/* Slices of a part: from the last layer to the first, of each its pieces. */
static void backward_slice(const lstm_call *c, const lstm_part *part,
                           const lstm_split *split, size_t slice)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    size_t below = slice / split->pieces, l = layer->config.layers - 1 - below;
    size_t end = run->steps - slice % split->pieces * split->steps;
    size_t start = end - least(end, split->steps);
    /* The two buffers change places from layer to layer. */
    float *buffers[] = {layer->scratch.dy, layer->scratch.dx};
    float *dy = buffers[below % 2], *dx = buffers[1 - below % 2];
    if (slice == 0) {
        if (c->dout)
            copy_in(c, part, c->dout, 0, run->steps, layer->directions, layer->state,
                    false, dy);
        lstm_part_sync(part);
    }
    if (l == 0)
        dx = c->dx ? layer->scratch.dx_input : NULL;
    backward_layer(c, part, l, start, end, c->dout || below > 0 ? dy : NULL, dx);
    if (l == 0 && start == 0 && c->dx)
        copy_out(c, part, layer->scratch.dx_input, 0, run->steps, 1,
                 layer->config.inputs, false, c->dx);
}

static void backward_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const lstm_call *c = work;
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &c->tape->run;
    lstm_split split = lstm_run_split(layer, run, shares, true);
    lstm_task task =
        lstm_run_task(run, &split, layer->config.layers * split.pieces, share, shares);
    uint64_t mode = lstm_denormals_off();
    while (lstm_task_take(&task)) {
        lstm_part part = lstm_run_part(run, team, task.queue, split.parts);
        backward_slice(c, &part, &split, task.index);
        lstm_task_finish(&task);
    }
    lstm_team_wait(team);
    lstm_weight_gradients(layer, run, share, shares);
    lstm_denormals_restore(mode);
}

void lstm_run_backward(const lstm_call *call)
{
    lstm_run *run = &call->tape->run;
    const lstm_scratch *scratch = &call->layer->scratch;
    run->kernels = lstm_layer_kernels(call->layer);
    lstm_queues_reset(run->chains, run->chain_count);
    lstm_queues_reset(scratch->chains, scratch->chain_count);
    lstm_pool_run(backward_share, (void *)call, lstm_run_shares(call->layer, run));
}
