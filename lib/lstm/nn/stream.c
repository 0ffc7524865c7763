/*
 * Inference with carried state.
 *
 * A step goes through the layers with the kernels of a forward, on one thread. States
 * are blocked (see kernels.h). A single sequence has blocks of one row, which makes its
 * x and h plain arrays: it takes the kernels of a single row, and x as it lies with the
 * caller. Without a projection the new h must not overwrite the old one before the last
 * block has read it, so there are two and they change places.
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
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/stream.h>

/* Sequences of a stream; more overflow the sizes of buffers. */
static const size_t max_batch = (size_t)1 << 24;

typedef struct {
    lstm_panels panels;
    /** State; spare is where the next h comes, or u = o tanh(c) before a projection. */
    float *h, *spare, *c;
} stream_layer;

struct lstm_stream {
    const lstm_layer *layer;
    /** Those of the call at hand. */
    const lstm_kernels *kernels;
    bool batch_first;
    /** Whether the states are more than zeros that nobody has set. */
    bool has_h, has_c;
    size_t layers, inputs, hidden, state, outputs;
    /** N, rows of a full group, their number, and distance between blocks. */
    size_t batch, group_rows, groups, stride;
    /** One step of x in blocks; [S] and [Y], padded to blocks, of one sequence. */
    float *x, *row, *y;
    /** The head turned and padded, see lstm_linear_row; NULL without one. */
    float *weight, *bias;
    stream_layer *at;
};

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
        stream->bias[o] = head.bias[o];
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
    if (head && lstm_linear_look(head).inputs != state)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "stream: head has %zu inputs, expected %zu as the layer's "
                         "outputs",
                         lstm_linear_look(head).inputs, state);
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
        .batch_first = config->batch_first,
        .layers = config->layers,
        .inputs = config->inputs,
        .hidden = config->hidden,
        .state = config->proj_size ? config->proj_size : config->hidden,
        .batch = batch,
        .group_rows = batch < LSTM_GROUP_ROWS ? batch : LSTM_GROUP_ROWS,
    };
    sizes.outputs = head ? lstm_linear_look(head).outputs : sizes.state;
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
        copy_head(*out, lstm_linear_look(head));
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

/* Where a row starts in a buffer of blocks. */
static size_t row_offset(const lstm_stream *stream, size_t row, size_t channels)
{
    return row / stream->group_rows * lstm_blocks(channels) * stream->stride +
           row % stream->group_rows * LSTM_BLOCK;
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
    size_t inputs = at->panels.inputs, depth = inputs + stream->state;
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
    size_t blocks = lstm_blocks(stream->state);
    for (size_t block = 0; block < blocks; block += unit)
        for (size_t group = 0; group < stream->groups; group++)
            stream->kernels->product(&(lstm_panel_product){
                .rows = group_size(stream, group),
                .stride = stream->stride,
                .a = {at->spare + group * lstm_blocks(stream->hidden) * stream->stride,
                      1, stream->hidden},
                .weights = at->panels.project + block * stream->hidden * LSTM_BLOCK,
                .blocks = blocks - block < unit ? blocks - block : unit,
                .out = at->h + (group * blocks + block) * stream->stride,
            });
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
    if (stream->batch == 1 && from->stride == 1)
        return x;
    for (size_t row = 0; row < stream->batch; row++)
        lstm_row_to_blocks(x + (ptrdiff_t)row * from->row, from->stride, stream->inputs,
                           stream->x + row_offset(stream, row, stream->inputs),
                           stream->stride);
    return stream->x;
}

static void step_out(const lstm_stream *stream, float *y, const sequence *to)
{
    const float *last = stream->at[stream->layers - 1].h;
    for (size_t row = 0; row < stream->batch; row++, y += to->row) {
        const float *h = last + row_offset(stream, row, stream->state);
        if (!stream->weight) {
            lstm_row_from_blocks(h, stream->stride, stream->state, y, to->stride);
            continue;
        }
        if (stream->batch > 1) {
            lstm_row_from_blocks(h, stream->stride, stream->state, stream->row, 1);
            h = stream->row;
        }
        stream->kernels->linear_row(&(lstm_linear_row){
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
    stream->kernels = lstm_kernels_get();
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

/* States ------------------------------------------------------------------------------
 */

static void clear_row(const lstm_stream *stream, size_t row, size_t channels,
                      float *states)
{
    float *to = states + row_offset(stream, row, channels);
    for (size_t block = 0; block < lstm_blocks(channels); block++)
        memset(to + block * stream->stride, 0, LSTM_BLOCK * sizeof(*to));
}

lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    bool all = true;
    for (size_t row = 0; row < stream->batch; row++) {
        bool wanted = !rows || rows[row];
        all = all && wanted;
        for (size_t l = 0; wanted && l < stream->layers; l++) {
            clear_row(stream, row, stream->state, stream->at[l].h);
            clear_row(stream, row, stream->hidden, stream->at[l].c);
        }
    }
    stream->has_h = stream->has_h && !all;
    stream->has_c = stream->has_c && !all;
    return LSTM_OK;
}

static lstm_status check_states(const lstm_stream *stream, const lstm_tensor *h,
                                const lstm_tensor *c)
{
    size_t h_shape[] = {stream->layers, stream->batch, stream->state};
    size_t c_shape[] = {stream->layers, stream->batch, stream->hidden};
    lstm_status status = LSTM_OK;
    if (h)
        status = lstm_tensor_expect(h, "stream", "h", 3, h_shape);
    if (!status && c)
        status = lstm_tensor_expect(c, "stream", "c", 3, c_shape);
    return status;
}

static float *state_of(const lstm_tensor *tensor, size_t l, size_t row)
{
    return tensor->data + (ptrdiff_t)l * tensor->strides[0] +
           (ptrdiff_t)row * tensor->strides[1];
}

static void states_out(const lstm_stream *stream, lstm_tensor *to, size_t l,
                       size_t channels, const float *states)
{
    for (size_t row = 0; to && row < stream->batch; row++)
        lstm_row_from_blocks(states + row_offset(stream, row, channels), stream->stride,
                             channels, state_of(to, l, row), to->strides[2]);
}

static void states_in(const lstm_stream *stream, const lstm_tensor *from, size_t l,
                      size_t channels, float *states)
{
    for (size_t row = 0; row < stream->batch; row++)
        if (from)
            lstm_row_to_blocks(state_of(from, l, row), from->strides[2], channels,
                               states + row_offset(stream, row, channels),
                               stream->stride);
        else
            clear_row(stream, row, channels, states);
}

lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_status status = check_states(stream, h, c);
    for (size_t l = 0; !status && l < stream->layers; l++) {
        states_out(stream, h, l, stream->state, stream->at[l].h);
        states_out(stream, c, l, stream->hidden, stream->at[l].c);
    }
    return status;
}

lstm_status lstm_stream_set_state(lstm_stream *stream, const lstm_tensor *h,
                                  const lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_status status = check_states(stream, h, c);
    if (status)
        return status;
    for (size_t l = 0; l < stream->layers; l++) {
        states_in(stream, h, l, stream->state, stream->at[l].h);
        states_in(stream, c, l, stream->hidden, stream->at[l].c);
    }
    stream->has_h = h;
    stream->has_c = c;
    return LSTM_OK;
}
