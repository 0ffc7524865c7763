/*
 * Inference with carried state.
 *
 * A step goes through the layers with the kernels of a forward, on one thread. States
 * are blocked (see kernels.h). A single sequence has blocks of one row, which makes its
 * x and h plain arrays: it takes the kernels of a single row, and x as it lies with the
 * caller. Without a projection the new h must not overwrite the old one before the last
 * block has read it, so there are two and they change places.
 *
 * With a layer of bfloat16, x and h are pairs (see kernels/pairs.h) and groups have an
 * even number of rows, so that a single sequence has blocks of two.
 *
 * After a reset the recurrent products are left out and not fed with zeros, as in a
 * forward without h0.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/arena.h"
#include "lib/lstm/core/denormals.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/nn/stream.h"
#include "lib/lstm/tensor/tensor.h"

/* Sequences of a stream; more overflow the sizes of buffers. */
static const size_t max_batch = (size_t)1 << 24;

/* Creation ----------------------------------------------------------------------------
 */

static float *take_blocks(lstm_arena *arena, const lstm_stream *stream, size_t channels)
{
    size_t rows = stream->groups * stream->group_rows;
    return lstm_arena_take(arena, rows,
                           lstm_blocks(channels) * LSTM_BLOCK * sizeof(float));
}

/* Lays the buffers out over memory, or with NULL only measures them. */
static size_t plan(lstm_stream *stream, bool head, void *memory)
{
    lstm_arena arena = {memory, 0};
    size_t line = lstm_blocks(stream->outputs) * LSTM_BLOCK * sizeof(float);
    stream_layer *at = lstm_arena_take(&arena, stream->layers, sizeof(*at));
    stream->at = at;
    stream->x = take_blocks(&arena, stream, stream->inputs);
    stream->row =
        lstm_arena_take(&arena, lstm_blocks(stream->state) * LSTM_BLOCK, sizeof(float));
    stream->y = lstm_arena_take(&arena, 1, line);
    stream->weight = lstm_arena_take(&arena, head ? stream->state : 0, line);
    stream->bias = lstm_arena_take(&arena, head ? 1 : 0, line);
    for (size_t l = 0; l < stream->layers; l++) {
        float *h = take_blocks(&arena, stream, stream->state);
        float *spare = take_blocks(&arena, stream, stream->hidden);
        float *c = take_blocks(&arena, stream, stream->hidden);
        if (memory)
            at[l] = (stream_layer){lstm_layer_panels(stream->layer, l), h, spare, c};
    }
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
                     "lstm_layer_set_training(layer, false) makes it ready");
}

static lstm_status check_create(const lstm_layer *layer, const lstm_linear *head,
                                size_t batch)
{
    if (!layer)
        return lstm_fail_null("stream", "layer");
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    size_t state = config->proj_size ? config->proj_size : config->hidden;
    if (config->bidirectional)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "stream: layer is bidirectional, but its reverse direction "
                         "starts at the end of a sequence");
    if (batch < 1 || batch > max_batch)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "stream: batch is %zu, expected 1 to %zu", batch, max_batch);
    if (head && lstm_linear_get_view(head).inputs != state)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "stream: head has %zu inputs, expected %zu as the layer's "
                         "outputs",
                         lstm_linear_get_view(head).inputs, state);
    return check_packed(layer);
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
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    lstm_stream sizes = {
        .layer = layer,
        .kernels = lstm_layer_kernels(layer),
        .batch_first = config->batch_first,
        .layers = config->layers,
        .inputs = config->inputs,
        .hidden = config->hidden,
        .state = config->proj_size ? config->proj_size : config->hidden,
        .batch = batch,
        .group_rows = batch < LSTM_GROUP_ROWS ? batch : LSTM_GROUP_ROWS,
    };
    sizes.group_rows += sizes.group_rows % sizes.kernels->k_pack;
    sizes.outputs = head ? lstm_linear_get_view(head).outputs : sizes.state;
    sizes.groups = (batch + sizes.group_rows - 1) / sizes.group_rows;
    sizes.stride = sizes.group_rows * LSTM_BLOCK;
    lstm_arena arena = {NULL, 0};
    lstm_arena_take(&arena, 1, sizeof(sizes));
    size_t own = arena.used;
    lstm_arena_take(&arena, 1, plan(&sizes, head, NULL));
    char *memory = common_alloc(arena.used, 1);
    if (!memory)
        return lstm_fail_memory("stream");
    *out = (lstm_stream *)memory;
    **out = sizes;
    plan(*out, head, memory + own);
    if (head)
        copy_head(*out, lstm_linear_get_view(head));
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

/* Rows that a group has. */
static size_t group_size(const lstm_stream *stream, size_t group)
{
    size_t left = stream->batch - group * stream->group_rows;
    return left < stream->group_rows ? left : stream->group_rows;
}

/* Rounds what products read to pairs, where they read those. */
void lstm_stream_to_pairs(const lstm_stream *stream, size_t channels, float *values)
{
    size_t blocks = lstm_blocks(channels);
    for (size_t i = 0; stream->kernels->to_pairs && i < stream->groups * blocks; i++)
        stream->kernels->to_pairs(group_size(stream, i / blocks),
                                  values + i * stream->stride);
}

/* A row of x or h, back from blocks. */
void lstm_stream_row_out(const lstm_stream *stream, const float *values, size_t row,
                         size_t channels, float *to, ptrdiff_t stride)
{
    const float *first = values + lstm_stream_offset(stream, row, channels);
    if (!stream->kernels->to_pairs) {
        lstm_row_from_blocks(first, stream->stride, channels, to, stride);
        return;
    }
    for (size_t c = 0; c < channels; c += LSTM_BLOCK, first += stream->stride) {
        float numbers[LSTM_BLOCK];
        size_t width = channels - c < LSTM_BLOCK ? channels - c : LSTM_BLOCK;
        lstm_pairs_get(first - row % 2 * LSTM_BLOCK, row % 2, numbers);
        lstm_row_from_blocks(numbers, 0, width, to + (ptrdiff_t)c * stride, stride);
    }
}

static void run_row(const lstm_stream *stream, const stream_layer *at, const float *x)
{
    stream->kernels->cell_row(&(lstm_cell_row){
        .inputs = at->panels.inputs,
        .state = stream->state,
        .blocks = lstm_blocks(stream->hidden),
        .x = x,
        .h = stream->has_h ? at->h : NULL,
        .weights = at->panels.cell,
        .bias = at->panels.bias,
        .c_before = stream->has_c ? at->c : NULL,
        .c = at->c,
        .h_out = at->spare,
    });
}

/* One panel of weights meets all groups before the next one comes. */
static void run_groups(const lstm_stream *stream, const stream_layer *at,
                       const float *x)
{
    size_t blocks = lstm_blocks(stream->hidden), line = LSTM_GATES * LSTM_BLOCK;
    size_t inputs = at->panels.inputs;
    size_t depth = lstm_packed_depth(stream->kernels, 1, inputs) +
                   lstm_packed_depth(stream->kernels, 1, stream->state);
    size_t x_group = lstm_blocks(inputs) * stream->stride;
    size_t h_group = lstm_blocks(stream->state) * stream->stride;
    for (size_t block = 0; block < blocks; block++)
        for (size_t group = 0; group < stream->groups; group++) {
            float *c = at->c + (group * blocks + block) * stream->stride;
            stream->kernels->cell(&(lstm_cell){
                .rows = group_size(stream, group),
                .stride = stream->stride,
                .x = {x + group * x_group, 1, inputs},
                .h = {stream->has_h ? at->h + group * h_group : NULL, 1, stream->state},
                .weights = at->panels.cell + block * depth * line,
                .bias = at->panels.bias + block * line,
                .c_before = stream->has_c ? c : NULL,
                .c = c,
                .h_out = at->spare + (group * blocks + block) * stream->stride,
            });
        }
}

/* h = u W_hr^T. */
static void run_projection(const lstm_stream *stream, const stream_layer *at)
{
    size_t unit = stream->kernels->product_blocks;
    size_t depth = lstm_packed_depth(stream->kernels, 1, stream->hidden);
    size_t blocks = lstm_blocks(stream->state);
    for (size_t block = 0; block < blocks; block += unit)
        for (size_t group = 0; group < stream->groups; group++)
            stream->kernels->product(&(lstm_panel_product){
                .rows = group_size(stream, group),
                .stride = stream->stride,
                .a = {at->spare + group * lstm_blocks(stream->hidden) * stream->stride,
                      1, stream->hidden},
                .weights = at->panels.project + block * depth * LSTM_BLOCK,
                .blocks = blocks - block < unit ? blocks - block : unit,
                .out = at->h + (group * blocks + block) * stream->stride,
            });
    lstm_stream_to_pairs(stream, stream->state, at->h);
}

static void run_layer(const lstm_stream *stream, stream_layer *at, const float *x)
{
    if (stream->batch == 1)
        run_row(stream, at, x);
    else
        run_groups(stream, at, x);
    if (at->panels.project) {
        run_projection(stream, at);
        return;
    }
    float *h = at->h;
    at->h = at->spare;
    at->spare = h;
}

/* What of a sequence a step reads or writes: steps and rows some elements apart. */
typedef struct {
    float *data;
    ptrdiff_t step, row, stride;
} sequence;

static const float *step_in(const lstm_stream *stream, const float *x,
                            const sequence *from)
{
    if (stream->stride == LSTM_BLOCK && from->stride == 1)
        return x;
    for (size_t row = 0; row < stream->batch; row++)
        lstm_row_to_blocks(x + (ptrdiff_t)row * from->row, from->stride, stream->inputs,
                           stream->x + lstm_stream_offset(stream, row, stream->inputs),
                           stream->stride);
    lstm_stream_to_pairs(stream, stream->inputs, stream->x);
    return stream->x;
}

static void step_out(const lstm_stream *stream, float *y, const sequence *to)
{
    const float *last = stream->at[stream->layers - 1].h;
    for (size_t row = 0; row < stream->batch; row++, y += to->row) {
        const float *h = last;
        if (!stream->weight) {
            lstm_stream_row_out(stream, last, row, stream->state, y, to->stride);
            continue;
        }
        if (stream->stride > LSTM_BLOCK) {
            lstm_stream_row_out(stream, last, row, stream->state, stream->row, 1);
            h = stream->row;
        }
        /* The head is float32 in either precision. */
        lstm_kernels_get()->linear_row(&(lstm_linear_row){
            .inputs = stream->state,
            .blocks = lstm_blocks(stream->outputs),
            .x = h,
            .weights = stream->weight,
            .bias = stream->bias,
            .y = stream->y,
        });
        lstm_row_from_blocks(stream->y, LSTM_BLOCK, stream->outputs, y, to->stride);
    }
}

static void run_steps(lstm_stream *stream, size_t steps, const sequence *from,
                      const sequence *to)
{
    uint64_t mode = lstm_denormals_off();
    stream->kernels = lstm_layer_kernels(stream->layer);
    for (size_t step = 0; step < steps; step++) {
        const float *x =
            step_in(stream, from->data + (ptrdiff_t)step * from->step, from);
        for (size_t l = 0; l < stream->layers; l++) {
            run_layer(stream, &stream->at[l], x);
            x = stream->at[l].h;
        }
        stream->has_h = stream->has_c = true;
        if (to->data)
            step_out(stream, to->data + (ptrdiff_t)step * to->step, to);
    }
    lstm_denormals_restore(mode);
}

/* The strides of a tensor of one step or of many. */
static sequence view(const lstm_stream *stream, const lstm_tensor *tensor)
{
    if (!tensor)
        return (sequence){0};
    const ptrdiff_t *strides = tensor->strides;
    if (tensor->rank == 2)
        return (sequence){tensor->data, 0, strides[0], strides[1]};
    size_t step = stream->batch_first ? 1 : 0;
    return (sequence){tensor->data, strides[step], strides[1 - step], strides[2]};
}

static lstm_status check_x(const lstm_stream *stream, const lstm_tensor *x)
{
    size_t row = x->rank == 2 || stream->batch_first ? 0 : 1;
    if ((x->rank == 2 || x->rank == 3) && x->shape[row] == stream->batch &&
        x->shape[x->rank - 1] == stream->inputs)
        return LSTM_OK;
    char text[LSTM_SHAPE_TEXT];
    return lstm_fail(LSTM_SHAPE_MISMATCH,
                     stream->batch_first
                         ? "stream: x is %s, expected [%zu, %zu] or [%zu, T, %zu]"
                         : "stream: x is %s, expected [%zu, %zu] or [T, %zu, %zu]",
                     lstm_shape_text(text, x->rank, x->shape), stream->batch,
                     stream->inputs, stream->batch, stream->inputs);
}

static lstm_status check_y(const lstm_stream *stream, const lstm_tensor *x,
                           const lstm_tensor *y)
{
    size_t shape[LSTM_MAX_RANK];
    memcpy(shape, x->shape, sizeof(shape));
    shape[x->rank - 1] = stream->outputs;
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
    sequence from = view(stream, x), to = view(stream, y);
    run_steps(stream, x->rank == 2 ? 1 : x->shape[stream->batch_first ? 1 : 0], &from,
              &to);
    return LSTM_OK;
}
