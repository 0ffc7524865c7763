/*
 * Inference with carried state.
 *
 * A step runs all layers on the calling thread, with the same code as a forward: a
 * stream is a tape of one step that keeps its states. A single sequence has blocks of
 * one row, so its x and h are plain arrays. It uses the kernels of a single row, and
 * reads the caller's x in place. Without a projection, the new h must not overwrite the
 * old one before all blocks have read it, so there are two buffers, which are swapped
 * after each step.
 *
 * With a layer of bfloat16, x and h are pairs (see kernels/pairs.h), and a group has an
 * even number of rows: a single sequence has blocks of two.
 *
 * After a reset, a step skips the recurrent products, as a forward without h0 does.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/nn/pass.h"
#include "lib/lstm/nn/stream.h"

/* Maximum number of sequences of a stream; with more, sizes of buffers overflow. */
static const size_t max_batch = (size_t)1 << 24;

/* Creation ----------------------------------------------------------------------------
 */

static float *take_blocks(lstm_arena *arena, const lstm_blocked *blocked,
                          size_t channels)
{
    return lstm_arena_take(arena, blocked->groups * blocked->group_rows,
                           lstm_blocks(channels) * LSTM_BLOCK * sizeof(float));
}

static lstm_activations plan_layer(const lstm_weights *weights,
                                   const lstm_blocked *blocked, lstm_arena *arena)
{
    size_t hidden = weights->config.hidden;
    float *h = take_blocks(arena, blocked, weights->state);
    float *spare = take_blocks(arena, blocked, hidden);
    float *c = take_blocks(arena, blocked, hidden);
    lstm_activations at = {.h = h, .h_out = spare, .c = c, .c_out = c};
    if (weights->config.proj_size) {
        at.h_out = h;
        at.u = spare;
    }
    return at;
}

static bool has_cells(const lstm_stream *stream)
{
    const lstm_layer_config *config = &stream->tape.weights->config;
    return stream->tape.single && !config->proj_size &&
           config->precision != LSTM_BFLOAT16;
}

static lstm_cell_row cell_of(const lstm_steps *s)
{
    return (lstm_cell_row){
        .inputs = lstm_direction_inputs(s->direction),
        .state = s->weights->state,
        .units = s->weights->config.hidden,
        .weights = s->direction->cell,
        .bias = s->direction->bias,
        .x_scales = s->direction->x_scales,
        .h_scales = s->direction->h_scales,
        .c = s->at->c,
    };
}

/* Assigns addresses in memory to the arrays of a stream; with NULL it only counts
 * bytes. */
static size_t plan(lstm_stream *stream, bool head, void *memory)
{
    lstm_tape *tape = &stream->tape;
    lstm_batch *batch = &tape->batch;
    const lstm_weights *weights = tape->weights;
    size_t layers = weights->config.layers, state = weights->state;
    size_t line = lstm_blocks(stream->outputs) * LSTM_BLOCK * sizeof(float);
    lstm_arena arena = {memory, 0};
    lstm_arena_take(&arena, 1, sizeof(*stream));
    tape->at = lstm_arena_take(&arena, layers, sizeof(*tape->at));
    stream->steps = lstm_arena_take(&arena, layers, sizeof(*stream->steps));
    bool cells = has_cells(stream);
    stream->cells = lstm_arena_take(&arena, cells ? layers : 0, sizeof(*stream->cells));
    batch->active = lstm_arena_take(&arena, 1, sizeof(size_t));
    tape->x = take_blocks(&arena, &batch->blocked, weights->config.inputs);
    stream->row =
        lstm_arena_take(&arena, lstm_blocks(state) * LSTM_BLOCK, sizeof(float));
    stream->y = lstm_arena_take(&arena, 1, line);
    stream->weight = lstm_arena_take(&arena, head ? state : 0, line);
    stream->bias = lstm_arena_take(&arena, head ? 1 : 0, line);
    for (size_t l = 0; l < layers; l++) {
        lstm_activations at = plan_layer(weights, &batch->blocked, &arena);
        if (!memory)
            continue;
        tape->at[l] = at;
        stream->steps[l] = lstm_steps_of(weights, tape, &stream->range, l);
        if (cells)
            stream->cells[l] = cell_of(&stream->steps[l]);
    }
    if (!cells)
        stream->cells = NULL;
    if (!head)
        stream->weight = stream->bias = NULL;
    return arena.used;
}

static void copy_head(lstm_stream *stream, lstm_linear_view head)
{
    size_t columns = lstm_blocks(head.outputs) * LSTM_BLOCK;
    for (size_t o = 0; o < head.outputs; o++) {
        stream->bias[o] = head.bias ? head.bias[o] : 0;
        for (size_t i = 0; i < head.inputs; i++)
            stream->weight[i * columns + o] = head.weight[o * head.inputs + i];
    }
}

static lstm_status check_packed(const lstm_layer *layer)
{
    if (lstm_layer_is_packed(layer))
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_STATE,
                     "stream: layer is in training mode or its weights have changed: "
                     "call lstm_layer_set_training(layer, false)");
}

static lstm_status check_create(const lstm_layer *layer, const lstm_linear *head,
                                size_t batch)
{
    if (!layer)
        return lstm_fail_null("stream", "layer");
    size_t state = lstm_layer_weights(layer)->state;
    if (lstm_layer_get_config(layer)->bidirectional)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT,
            "stream: layer is bidirectional, but a reverse direction needs "
            "whole sequences");
    if (batch < 1 || batch > max_batch)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "stream: batch is %zu, expected 1 to %zu", batch, max_batch);
    if (head && lstm_linear_get_view(head).inputs != state)
        return lstm_fail(
            LSTM_SHAPE_MISMATCH,
            "stream: head has %zu inputs, expected %zu, the outputs of the "
            "layer",
            lstm_linear_get_view(head).inputs, state);
    return check_packed(layer);
}

/* A stream with its sizes, but without memory. */
static lstm_stream sizes_of(const lstm_layer *layer, const lstm_linear *head,
                            size_t batch)
{
    const lstm_weights *weights = lstm_layer_weights(layer);
    lstm_stream sizes = {
        .layer = layer,
        .tape = {.weights = weights, .window = 1, .single = batch == 1},
        .outputs = head ? lstm_linear_get_view(head).outputs : weights->state,
    };
    sizes.tape.batch.blocked =
        lstm_blocked_create(lstm_weights_kernels(weights, false), batch);
    sizes.range = lstm_range_all(&sizes.tape.batch);
    return sizes;
}

lstm_status lstm_stream_create(lstm_stream **out, const lstm_layer *layer,
                               const lstm_linear *head, size_t batch)
{
    if (!out)
        return lstm_fail_null("stream", "out");
    *out = NULL;
    lstm_status status = check_create(layer, head, batch);
    if (status)
        return status;
    lstm_stream sizes = sizes_of(layer, head, batch);
    lstm_stream *stream = common_alloc_bytes(plan(&sizes, head, NULL));
    if (!stream)
        return lstm_fail_memory("stream");
    *stream = sizes;
    plan(stream, head, stream);
    stream->tape.batch.active[0] = batch;
    if (head)
        copy_head(stream, lstm_linear_get_view(head));
    *out = stream;
    return LSTM_OK;
}

void lstm_stream_destroy(lstm_stream **stream)
{
    if (!stream)
        return;
    common_free(*stream);
    *stream = NULL;
}

/* A step ------------------------------------------------------------------------------
 */

/* Returns one step of x in the layout that the first layer reads. */
static const float *step_in(const lstm_stream *stream, const lstm_sequence *from,
                            const float *x)
{
    const lstm_tape *tape = &stream->tape;
    const lstm_blocked *blocked = &tape->batch.blocked;
    size_t inputs = tape->weights->config.inputs, blocks = lstm_blocks(inputs);
    if (lstm_blocked_stride(blocked) == LSTM_BLOCK && from->channel == 1)
        return x;
    for (size_t row = 0; row < blocked->rows; row++)
        lstm_blocked_row_in(blocked, x + (ptrdiff_t)row * from->row, from->channel, 1,
                            inputs,
                            tape->x + lstm_blocked_row(blocked, 0, row, blocks));
    lstm_blocked_round(blocked, 0, blocked->rows, blocks, 0, blocks, tape->x);
    return tape->x;
}

/* Runs all layers of a single row; returns h of the last one. */
static const float *run_cells(lstm_stream *stream, const lstm_kernels *kernels,
                              const float *x)
{
    lstm_tape *tape = &stream->tape;
    for (size_t l = 0; l < tape->weights->config.layers; l++) {
        lstm_activations *at = &tape->at[l];
        lstm_cell_row *cell = &stream->cells[l];
        float *h = at->h_out;
        cell->x = x;
        cell->h = tape->has_h0 ? at->h : NULL;
        cell->c_before = tape->has_c0 ? at->c : NULL;
        cell->h_out = h;
        kernels->cell_row(cell);
        at->h_out = at->h;
        at->h = h;
        x = h;
    }
    tape->has_h0 = tape->has_c0 = true;
    return x;
}

/* Runs all layers; returns h of the last one. */
static const float *run_layers(lstm_stream *stream, const float *x)
{
    static const lstm_chunk step = {.end = 1, .window_end = 1};
    lstm_tape *tape = &stream->tape;
    for (size_t l = 0; l < tape->weights->config.layers; l++) {
        lstm_activations *at = &tape->at[l];
        at->x = x;
        lstm_forward_direction(&stream->steps[l], &step);
        float *h = at->h_out;
        at->h_out = at->h;
        at->h = h;
        x = h;
    }
    tape->has_h0 = tape->has_c0 = true;
    return x;
}

/* y = h W^T + b of a row. The head is float32 in both precisions. */
static void run_head(const lstm_stream *stream, const lstm_kernels *kernels,
                     const float *h)
{
    kernels->linear_row(&(lstm_linear_row){
        .inputs = stream->tape.weights->state,
        .outputs = stream->outputs,
        .x = h,
        .weights = stream->weight,
        .bias = stream->bias,
        .y = stream->y,
    });
}

static void step_out(const lstm_stream *stream, const float *last,
                     const lstm_kernels *floats, const lstm_sequence *to, float *y)
{
    const lstm_blocked *blocked = &stream->tape.batch.blocked;
    size_t state = stream->tape.weights->state, blocks = lstm_blocks(state);
    bool plain = lstm_blocked_stride(blocked) == LSTM_BLOCK;
    for (size_t row = 0; row < blocked->rows; row++, y += to->row) {
        size_t offset = lstm_blocked_row(blocked, 0, row, blocks);
        if (!stream->weight) {
            lstm_blocked_row_out(blocked, true, last, offset, 1, state, y, to->channel);
            continue;
        }
        if (!plain)
            lstm_blocked_row_out(blocked, true, last, offset, 1, state, stream->row, 1);
        run_head(stream, floats, plain ? last : stream->row);
        lstm_row_from_blocks(stream->y, LSTM_BLOCK, stream->outputs, y, to->channel);
    }
}

static void run_steps(lstm_stream *stream, size_t steps, const lstm_sequence *from,
                      const lstm_sequence *to)
{
    uint64_t mode = lstm_denormals_off();
    const lstm_kernels *kernels = lstm_weights_kernels(stream->tape.weights, false);
    const lstm_kernels *floats = lstm_kernels_get();
    stream->tape.batch.blocked.kernels = kernels;
    for (size_t step = 0; step < steps; step++) {
        const float *x =
            step_in(stream, from, from->data + (ptrdiff_t)step * from->step);
        const float *h =
            stream->cells ? run_cells(stream, kernels, x) : run_layers(stream, x);
        if (to->data)
            step_out(stream, h, floats, to, to->data + (ptrdiff_t)step * to->step);
    }
    lstm_denormals_restore(mode);
}

/* The strides of a tensor of one step or of several steps. */
static lstm_sequence view(const lstm_stream *stream, const lstm_tensor *tensor)
{
    if (!tensor)
        return (lstm_sequence){0};
    if (tensor->rank == 2)
        return (lstm_sequence){tensor->data, 0, tensor->strides[0], tensor->strides[1]};
    return lstm_sequence_of(tensor, stream->tape.weights->config.batch_first);
}

static lstm_status check_x(const lstm_stream *stream, const lstm_tensor *x)
{
    const lstm_layer_config *config = &stream->tape.weights->config;
    size_t batch = stream->tape.batch.blocked.rows;
    size_t row = x->rank == 2 || config->batch_first ? 0 : 1;
    if ((x->rank == 2 || x->rank == 3) && x->shape[row] == batch &&
        x->shape[x->rank - 1] == config->inputs)
        return LSTM_OK;
    char text[LSTM_SHAPE_TEXT];
    return lstm_fail(LSTM_SHAPE_MISMATCH,
                     config->batch_first
                         ? "stream: x is %s, expected [%zu, %zu] or [%zu, T, %zu]"
                         : "stream: x is %s, expected [%zu, %zu] or [T, %zu, %zu]",
                     lstm_shape_text(text, x->rank, x->shape), batch, config->inputs,
                     batch, config->inputs);
}

static lstm_status check_y(const lstm_stream *stream, const lstm_tensor *x,
                           const lstm_tensor *y)
{
    size_t last = x->rank - 1, shape[LSTM_MAX_RANK];
    if (y->rank == x->rank && y->shape[0] == x->shape[0] &&
        (last == 1 || y->shape[1] == x->shape[1]) && y->shape[last] == stream->outputs)
        return LSTM_OK;
    memcpy(shape, x->shape, sizeof(shape));
    shape[last] = stream->outputs;
    return lstm_tensor_expect(y, "stream", "y", x->rank, shape);
}

lstm_status lstm_stream_step(lstm_stream *stream, const lstm_tensor *x, lstm_tensor *y)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    if (!x)
        return lstm_fail_null("stream", "x");
    lstm_status status = check_packed(stream->layer);
    if (!status)
        status = check_x(stream, x);
    if (!status && y)
        status = check_y(stream, x, y);
    if (status)
        return status;
    lstm_sequence from = view(stream, x), to = view(stream, y);
    bool batch_first = stream->tape.weights->config.batch_first;
    run_steps(stream, x->rank == 2 ? 1 : x->shape[batch_first ? 1 : 0], &from, &to);
    return LSTM_OK;
}
