/*
 * The public calls: checks of shapes, memory, and the order of what a run does.
 *
 * A region of the pool does a whole forward, or a whole backward with its weight
 * gradients. Steps of an evaluation go through all layers in chunks, so that memory
 * does not grow with the length of the sequence, unless a reverse direction needs all
 * of it.
 */
#include <string.h>

#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/order.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* The tensors of one public call. */
typedef struct {
    lstm_layer *layer;
    const lstm_tensor *x, *h0, *c0, *dout, *dhn, *dcn;
    lstm_tensor *out, *hn, *cn, *dx, *dh0, *dc0;
} call;

/* Axes of steps and rows in a tensor of a sequence. */
static size_t step_axis(const lstm_layer *layer)
{
    return layer->config.batch_first ? 1 : 0;
}

static void copy_in(const call *c, const lstm_part *part, const lstm_tensor *from,
                    size_t start, size_t end, size_t segments, size_t channels,
                    bool operand, float *to)
{
    size_t step = step_axis(c->layer);
    lstm_copy_in(&c->layer->run, part, from->data, from->strides[step],
                 from->strides[1 - step], from->strides[2], start, end, segments,
                 channels, operand, to);
}

static void copy_out(const call *c, const lstm_part *part, const float *from,
                     size_t start, size_t end, size_t segments, size_t channels,
                     bool operand, lstm_tensor *to)
{
    size_t step = step_axis(c->layer);
    lstm_copy_out(&c->layer->run, part, from, start, end, segments, channels, operand,
                  to->data, to->strides[step], to->strides[1 - step], to->strides[2]);
}

/* Checks ------------------------------------------------------------------------------
 */

static lstm_status check_sequence(const lstm_layer *layer, const lstm_tensor *tensor,
                                  const char *name, size_t channels)
{
    if (!tensor)
        return LSTM_OK;
    const lstm_run *run = &layer->run;
    size_t shape[3] = {run->steps, run->batch, channels};
    if (layer->config.batch_first) {
        shape[0] = run->batch;
        shape[1] = run->steps;
    }
    return lstm_tensor_expect(tensor, "layer", name, 3, shape);
}

static lstm_status check_state(const lstm_layer *layer, const lstm_tensor *tensor,
                               const char *name, size_t channels)
{
    if (!tensor)
        return LSTM_OK;
    size_t shape[3] = {layer->config.layers * layer->directions, layer->run.batch,
                       channels};
    return lstm_tensor_expect(tensor, "layer", name, 3, shape);
}

static lstm_status check_input(const lstm_layer *layer, const lstm_tensor *x)
{
    if (lstm_tensor_rank(x) == 3 && x->shape[2] == layer->config.inputs)
        return LSTM_OK;
    char text[LSTM_SHAPE_TEXT];
    return lstm_fail(LSTM_SHAPE_MISMATCH, "layer: x is %s, expected [%s, %zu]",
                     lstm_shape_text(text, x->rank, x->shape),
                     layer->config.batch_first ? "N, T" : "T, N", layer->config.inputs);
}

static lstm_status check_forward(const call *c)
{
    const lstm_layer *layer = c->layer;
    size_t state = layer->state, hidden = layer->config.hidden;
    lstm_status status = check_state(layer, c->h0, "h0", state);
    if (!status)
        status = check_state(layer, c->c0, "c0", hidden);
    if (!status)
        status = check_sequence(layer, c->out, "out", layer->directions * state);
    if (!status)
        status = check_state(layer, c->hn, "hn", state);
    if (!status)
        status = check_state(layer, c->cn, "cn", hidden);
    return status;
}

static lstm_status check_backward(const call *c)
{
    const lstm_layer *layer = c->layer;
    size_t state = layer->state, hidden = layer->config.hidden;
    lstm_status status =
        check_sequence(layer, c->dout, "dout", layer->directions * state);
    if (!status)
        status = check_state(layer, c->dhn, "dhn", state);
    if (!status)
        status = check_state(layer, c->dcn, "dcn", hidden);
    if (!status)
        status = check_sequence(layer, c->dx, "dx", layer->config.inputs);
    if (!status)
        status = check_state(layer, c->dh0, "dh0", state);
    if (!status)
        status = check_state(layer, c->dc0, "dc0", hidden);
    return status;
}

/* Preparation -------------------------------------------------------------------------
 */

/* Sorts rows by length, longest first and otherwise as they come, by counting. */
static void sort_rows(lstm_run *run, const size_t *lengths)
{
    memset(run->active, 0, run->steps * sizeof(size_t));
    for (size_t n = 0; n < run->batch; n++)
        run->active[lengths[n] - 1]++;
    for (size_t s = run->steps - 1; s-- > 0;)
        run->active[s] += run->active[s + 1];
    /* Rows of length L stand behind the longer ones, of which there are active[L]. */
    for (size_t s = 0; s < run->steps; s++)
        run->next[s] = s + 1 < run->steps ? run->active[s + 1] : 0;
    for (size_t n = 0; n < run->batch; n++) {
        size_t row = run->next[lengths[n] - 1]++;
        run->order[row] = n;
        run->lengths[row] = lengths[n];
        run->row_of[n] = row;
    }
    lstm_packed_order(lengths, run->draws, run->batch);
    for (size_t k = 0; k < run->batch; k++)
        run->draws[k] = run->row_of[run->draws[k]];
}

static void set_lengths(lstm_run *run, const size_t *lengths)
{
    if (lengths && run->keep) {
        sort_rows(run, lengths);
        return;
    }
    if (lengths) {
        lstm_packed_order(lengths, run->order, run->batch);
        for (size_t row = 0; row < run->batch; row++)
            run->lengths[row] = lengths[run->order[row]];
        return;
    }
    run->order = NULL;
    for (size_t n = 0; n < run->batch; n++)
        run->lengths[n] = run->steps;
    for (size_t s = 0; run->active && s < run->steps; s++)
        run->active[s] = run->batch;
}

/* How many threads a run is worth, and how they share it. Nothing of this changes a bit
 * of the result. */
static size_t choose_shares(const lstm_layer *layer, lstm_run *run)
{
    /* Multiply-adds that take about as long as waking a thread. */
    const double small = 4e5;
    enum { ROWS = 4, FEW_ROWS = 16 };
    size_t hidden = layer->config.hidden;
    double work = 4.0 * (double)hidden * (double)(layer->config.inputs + layer->state) *
                  (double)run->batch * (double)run->steps *
                  (double)layer->config.layers;
    if (work < small)
        return 1;
    size_t threads = lstm_threads(), blocks = lstm_blocks(hidden);
    run->split_units = run->batch < FEW_ROWS * threads && blocks >= 4 * threads;
    return run->split_units ? blocks : (run->batch + ROWS - 1) / ROWS;
}

/* Forward -----------------------------------------------------------------------------
 */

static void states_in(const call *c, const lstm_part *part)
{
    const lstm_layer *layer = c->layer;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_activations *at = &layer->run.at[i];
        lstm_state_in(&layer->run, part, c->h0, i, layer->state, true, at->h);
        lstm_state_in(&layer->run, part, c->c0, i, layer->config.hidden, false, at->c);
    }
}

/* The output of a layer in the caller's order of time, where that is not h itself. */
static void join_directions(const lstm_layer *layer, const lstm_part *part, size_t l)
{
    const lstm_run *run = &layer->run;
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

static void forward_layer(const lstm_layer *layer, const lstm_part *part, size_t l,
                          size_t start, size_t end)
{
    const lstm_run *run = &layer->run;
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
        lstm_forward_direction(layer, run, part, i, start, end);
    }
    join_directions(layer, part, l);
}

static void states_out(const call *c, const lstm_part *part, size_t start, size_t end)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &layer->run;
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

/* Rows of the part through all steps and layers, a chunk of steps at a time. */
static void forward_rows(const call *c, const lstm_part *part)
{
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &layer->run;
    states_in(c, part);
    for (size_t start = 0; start < run->steps; start += run->capacity) {
        size_t end =
            start + run->capacity < run->steps ? start + run->capacity : run->steps;
        copy_in(c, part, c->x, start, end, 1, layer->config.inputs, true, run->x);
        lstm_part_sync(part);
        for (size_t l = 0; l < layer->config.layers; l++)
            forward_layer(layer, part, l, start, end);
        if (c->out)
            copy_out(c, part, run->y[layer->config.layers - 1], start, end,
                     layer->directions, layer->state, true, c->out);
        states_out(c, part, start, end);
    }
}

static void forward_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const call *c = work;
    lstm_part whole = lstm_run_part(&c->layer->run, team, share, shares), part;
    uint64_t mode = lstm_denormals_off();
    for (size_t row = whole.row_start; row < whole.row_end; row = part.row_end) {
        part = lstm_part_rows(&whole, row);
        forward_rows(c, &part);
    }
    lstm_denormals_restore(mode);
}

static lstm_status check_lengths(const lstm_run *run, const size_t *lengths)
{
    for (size_t n = 0; lengths && n < run->batch; n++)
        if (lengths[n] < 1 || lengths[n] > run->steps)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "layer: length of row %zu is %zu, expected 1 to %zu", n,
                             lengths[n], run->steps);
    return LSTM_OK;
}

static lstm_status prepare_forward(const call *c, const size_t *lengths)
{
    lstm_layer *layer = c->layer;
    lstm_run *run = &layer->run, before = *run;
    size_t step = step_axis(layer);
    lstm_run_shape(layer, run, c->x->shape[1 - step], c->x->shape[step],
                   layer->training);
    run->has_h0 = c->h0;
    run->has_c0 = c->c0;
    lstm_status status = check_forward(c);
    if (!status)
        status = check_lengths(run, lengths);
    if (status) {
        *run = before;
        return status;
    }
    layer->pending = false;
    status = lstm_layer_pack(layer, false);
    if (!status)
        status = lstm_run_reserve(layer);
    if (!status)
        set_lengths(run, lengths);
    return status;
}

static lstm_status run_forward(const call *c, const size_t *lengths)
{
    lstm_layer *layer = c->layer;
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if (!c->x)
        return lstm_fail_null("layer", "x");
    lstm_status status = check_input(layer, c->x);
    if (!status)
        status = prepare_forward(c, lengths);
    if (status)
        return status;
    if (layer->training)
        lstm_draw_masks(layer, &layer->run);
    lstm_pool_run(forward_share, (void *)c, choose_shares(layer, &layer->run));
    layer->pending = layer->training;
    return LSTM_OK;
}

lstm_status lstm_layer_forward(lstm_layer *layer, const lstm_tensor *x,
                               const lstm_tensor *h0, const lstm_tensor *c0,
                               lstm_tensor *out, lstm_tensor *hn, lstm_tensor *cn)
{
    call c = {
        .layer = layer, .x = x, .h0 = h0, .c0 = c0, .out = out, .hn = hn, .cn = cn};
    return run_forward(&c, NULL);
}

lstm_status lstm_layer_forward_lengths(lstm_layer *layer, const lstm_tensor *x,
                                       const size_t *lengths, const lstm_tensor *h0,
                                       const lstm_tensor *c0, lstm_tensor *out,
                                       lstm_tensor *hn, lstm_tensor *cn)
{
    if (!lengths)
        return lstm_fail_null("layer", "lengths");
    call c = {
        .layer = layer, .x = x, .h0 = h0, .c0 = c0, .out = out, .hn = hn, .cn = cn};
    return run_forward(&c, lengths);
}

/* Backward ----------------------------------------------------------------------------
 */

/* The reverse direction: its gradients in its order of time, and dx back and added. */
static void backward_reverse(const lstm_layer *layer, const lstm_part *part,
                             size_t index, const float *dy, float *dx, bool first_dh)
{
    const lstm_run *run = &layer->run;
    const lstm_direction *direction = &layer->direction[index];
    const lstm_activations *at = &run->at[index];
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
    lstm_backward_direction(layer, run, part, index, dy ? at->dy_reversed : NULL, state,
                            0, dx ? at->dx_reversed : NULL, first_dh);
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

static void gradient_states(const call *c, const lstm_part *part, size_t index, bool in)
{
    const lstm_layer *layer = c->layer;
    const lstm_activations *at = &layer->run.at[index];
    size_t state = layer->state, hidden = layer->config.hidden;
    if (in) {
        lstm_state_in(&layer->run, part, c->dhn, index, state, false, at->dh);
        lstm_state_in(&layer->run, part, c->dcn, index, hidden, false, at->dc);
        lstm_part_sync(part);
        return;
    }
    if (c->dh0)
        lstm_first_state_out(&layer->run, part, at->dh, state, c->dh0, index);
    if (c->dc0)
        lstm_first_state_out(&layer->run, part, at->dc, hidden, c->dc0, index);
}

static void backward_layer(const call *c, const lstm_part *part, size_t l,
                           const float *dy, float *dx)
{
    const lstm_layer *layer = c->layer;
    size_t state = lstm_blocks(layer->state), width = layer->directions * state;
    for (size_t d = 0; d < layer->directions; d++) {
        size_t index = l * layer->directions + d;
        gradient_states(c, part, index, true);
        if (d == 0)
            lstm_backward_direction(layer, &layer->run, part, index, dy, width, 0, dx,
                                    c->dh0);
        else
            backward_reverse(layer, part, index, dy, dx, c->dh0);
        gradient_states(c, part, index, false);
    }
    if (l > 0 && layer->run.mask[l - 1])
        lstm_apply_mask(layer, &layer->run, part, l - 1, false, dx);
    lstm_part_sync(part);
}

static void backward_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const call *c = work;
    const lstm_layer *layer = c->layer;
    const lstm_run *run = &layer->run;
    lstm_part part = lstm_run_part(run, team, share, shares);
    float *dy = run->dy, *dx = run->dx;
    uint64_t mode = lstm_denormals_off();
    if (c->dout)
        copy_in(c, &part, c->dout, 0, run->steps, layer->directions, layer->state,
                false, dy);
    lstm_part_sync(&part);
    for (size_t l = layer->config.layers; l-- > 0;) {
        bool given = c->dout || l + 1 < layer->config.layers;
        float *below = l > 0 ? dx : c->dx ? run->dx_input : NULL;
        backward_layer(c, &part, l, given ? dy : NULL, below);
        dx = dy;
        dy = below;
    }
    if (c->dx)
        copy_out(c, &part, run->dx_input, 0, run->steps, 1, layer->config.inputs, false,
                 c->dx);
    lstm_team_wait(team);
    lstm_weight_gradients(layer, run, share, shares);
    lstm_denormals_restore(mode);
}

lstm_status lstm_layer_backward(lstm_layer *layer, const lstm_tensor *dout,
                                const lstm_tensor *dhn, const lstm_tensor *dcn,
                                lstm_tensor *dx, lstm_tensor *dh0, lstm_tensor *dc0)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if (!layer->pending)
        return lstm_fail(LSTM_INVALID_STATE, "layer: backward without a forward in "
                                             "training mode before it");
    call c = {.layer = layer,
              .dout = dout,
              .dhn = dhn,
              .dcn = dcn,
              .dx = dx,
              .dh0 = dh0,
              .dc0 = dc0};
    lstm_status status = check_backward(&c);
    if (!status)
        status = lstm_layer_pack(layer, true);
    if (status)
        return status;
    layer->run.kernels = lstm_layer_kernels(layer);
    lstm_pool_run(backward_share, &c, choose_shares(layer, &layer->run));
    layer->pending = false;
    return LSTM_OK;
}
