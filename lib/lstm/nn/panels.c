/*
 * Allocates the panels of packed weights, and packs them on the threads of a team. See
 * kernels/pack.h for the layouts.
 */
#include <math.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/pack.h"
#include "lib/lstm/nn/weights.h"

static lstm_packed *take(lstm_packed **cursor, size_t count)
{
    lstm_packed *start = *cursor;
    *cursor += count;
    return start;
}

/* The kernels that read the panels for forward, and those for backward. */
static const lstm_kernels *forward_kernels(const lstm_weights *weights)
{
    return lstm_weights_kernels(weights, weights->wide);
}

static const lstm_kernels *backward_kernels(const lstm_weights *weights)
{
    return lstm_weights_kernels(weights, true);
}

/* Assigns addresses in memory to the forward panels of a direction; with NULL it only
 * counts elements.
 */
static size_t lay_out_forward(const lstm_weights *weights, const lstm_kernels *kernels,
                              lstm_direction *direction, lstm_packed *memory)
{
    size_t blocks = lstm_blocks(weights->config.hidden);
    lstm_packed *cursor = memory;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    size_t columns =
        weights->config.proj_size ? lstm_blocks(weights->state) * LSTM_BLOCK : 0;
    size_t projection = columns * lstm_packed_depth(kernels, 1, weights->config.hidden);
    size_t scales =
        weights->config.precision == LSTM_INT8 ? 2 * blocks * line + columns : 0;
    size_t depth =
        lstm_packed_depth(kernels, direction->x_segments, direction->x_channels) +
        lstm_packed_depth(kernels, 1, weights->state);
    size_t cell = blocks * depth * line;
    if (memory) {
        direction->cell_depth = depth;
        direction->cell = take(&cursor, cell);
        direction->bias = (float *)take(&cursor, blocks * line);
        direction->project = take(&cursor, projection);
    }
    if (memory && scales) {
        direction->x_scales = (float *)take(&cursor, blocks * line);
        direction->h_scales = (float *)take(&cursor, blocks * line);
        direction->project_scales = (float *)take(&cursor, columns);
    }
    return cell + blocks * line + projection + scales;
}

static size_t lay_out_backward(const lstm_weights *weights, const lstm_kernels *kernels,
                               lstm_direction *direction, lstm_packed *memory)
{
    lstm_packed *cursor = memory;
    size_t gates = lstm_packed_depth(kernels, LSTM_GATES, weights->config.hidden);
    size_t h = gates * lstm_blocks(weights->state) * LSTM_BLOCK;
    size_t x =
        gates * direction->x_segments * lstm_blocks(direction->x_channels) * LSTM_BLOCK;
    size_t projection = weights->config.proj_size
                            ? lstm_packed_depth(kernels, 1, weights->state) *
                                  lstm_blocks(weights->config.hidden) * LSTM_BLOCK
                            : 0;
    if (memory) {
        direction->back_h = take(&cursor, h);
        direction->back_x = take(&cursor, x);
        direction->back_project = take(&cursor, projection);
    }
    return h + x + projection;
}

static void pack_cell_block(const lstm_weights *weights,
                            const lstm_direction *direction, size_t block)
{
    const lstm_kernels *kernels = forward_kernels(weights);
    size_t units = kernels->cell_units, hidden = weights->config.hidden;
    const lstm_gate_matrix weight_ih = {lstm_direction_value(direction, LSTM_WEIGHT_IH),
                                        hidden, direction->x_segments,
                                        direction->x_channels};
    const lstm_gate_matrix weight_hh = {lstm_direction_value(direction, LSTM_WEIGHT_HH),
                                        hidden, 1, weights->state};
    size_t inputs =
        lstm_packed_depth(kernels, direction->x_segments, direction->x_channels);
    size_t depth = direction->cell_depth, line = LSTM_GATES * units;
    lstm_packed *to = direction->cell + block * depth * LSTM_GATES * LSTM_BLOCK;
    for (size_t lane = 0; lane < LSTM_BLOCK; lane += units, to += depth * line) {
        size_t unit = block * LSTM_BLOCK + lane;
        lstm_pack_gates(kernels, &weight_ih, unit, to);
        lstm_pack_gates(kernels, &weight_hh, unit, to + inputs * line);
    }
    lstm_pack_bias(lstm_direction_value(direction, LSTM_BIAS_IH),
                   lstm_direction_value(direction, LSTM_BIAS_HH), hidden, block,
                   direction->bias + block * LSTM_GATES * LSTM_BLOCK);
    if (!direction->x_scales)
        return;
    lstm_pack_gate_scales(&weight_ih, block,
                          direction->x_scales + block * LSTM_GATES * LSTM_BLOCK);
    lstm_pack_gate_scales(&weight_hh, block,
                          direction->h_scales + block * LSTM_GATES * LSTM_BLOCK);
}

/* Packs the panels of a matrix that belong to a thread. */
static void pack_matrix(const lstm_kernels *kernels, lstm_matrix from, lstm_packed *to,
                        size_t thread, size_t threads)
{
    size_t total = from.segments * lstm_blocks(from.channels);
    size_t unit = kernels->product_blocks;
    size_t depth = lstm_packed_depth(kernels, from.k_segments, from.k_channels);
    size_t end = lstm_range_start(total, unit, thread + 1, threads);
    for (size_t block = lstm_range_start(total, unit, thread, threads); block < end;
         block += unit) {
        size_t blocks = common_smaller(total - block, unit);
        lstm_pack_panel(kernels, &from, block, blocks, to + block * depth * LSTM_BLOCK);
    }
}

/* weight_hr as the matrix of a product. */
static lstm_matrix projection_of(const lstm_weights *weights,
                                 const lstm_direction *direction)
{
    size_t hidden = weights->config.hidden;
    return (lstm_matrix){lstm_direction_value(direction, LSTM_WEIGHT_HR),
                         1,
                         hidden,
                         1,
                         hidden,
                         1,
                         weights->state};
}

static void pack_forward_on_thread(void *context, lstm_team *team, size_t thread,
                                   size_t threads)
{
    (void)team;
    const lstm_weights *weights = context;
    size_t blocks = lstm_blocks(weights->config.hidden);
    for (size_t i = 0; i < lstm_weights_count(weights); i++) {
        const lstm_direction *direction = &weights->direction[i];
        size_t end = lstm_range_start(blocks, 1, thread + 1, threads);
        for (size_t j = lstm_range_start(blocks, 1, thread, threads); j < end; j++)
            pack_cell_block(weights, direction, j);
        if (!weights->config.proj_size)
            continue;
        lstm_matrix matrix = projection_of(weights, direction);
        pack_matrix(forward_kernels(weights), matrix, direction->project, thread,
                    threads);
        if (direction->project_scales && thread == 0)
            lstm_pack_scales(&matrix, 0, lstm_blocks(weights->state),
                             direction->project_scales);
    }
}

/* The panels of weight_ih for the gradient of the input of a direction. */
static void pack_input(const lstm_weights *weights, const lstm_direction *direction,
                       size_t thread, size_t threads)
{
    const lstm_matrix matrix = {lstm_direction_value(direction, LSTM_WEIGHT_IH),
                                LSTM_GATES,
                                weights->config.hidden,
                                direction->x_segments * direction->x_channels,
                                1,
                                direction->x_segments,
                                direction->x_channels};
    pack_matrix(backward_kernels(weights), matrix, direction->back_x, thread, threads);
}

/* All panels for backward, except those for the gradient of the input of the layer. */
static void pack_backward_on_thread(void *context, lstm_team *team, size_t thread,
                                    size_t threads)
{
    (void)team;
    const lstm_weights *weights = context;
    const lstm_kernels *kernels = backward_kernels(weights);
    size_t hidden = weights->config.hidden;
    for (size_t i = 0; i < lstm_weights_count(weights); i++) {
        const lstm_direction *direction = &weights->direction[i];
        pack_matrix(kernels,
                    (lstm_matrix){lstm_direction_value(direction, LSTM_WEIGHT_HH),
                                  LSTM_GATES, hidden, weights->state, 1, 1,
                                  weights->state},
                    direction->back_h, thread, threads);
        if (i >= weights->directions)
            pack_input(weights, direction, thread, threads);
        if (weights->config.proj_size)
            pack_matrix(kernels,
                        (lstm_matrix){lstm_direction_value(direction, LSTM_WEIGHT_HR),
                                      1, weights->state, hidden, 1, 1, hidden},
                        direction->back_project, thread, threads);
    }
}

static void pack_input_on_thread(void *context, lstm_team *team, size_t thread,
                                 size_t threads)
{
    (void)team;
    const lstm_weights *weights = context;
    for (size_t i = 0; i < weights->directions; i++)
        pack_input(weights, &weights->direction[i], thread, threads);
}

/* Assigns addresses to the panels of all directions, or only counts their elements. */
typedef size_t (*layout)(const lstm_weights *, const lstm_kernels *, lstm_direction *,
                         lstm_packed *);

static size_t lay_out_all(lstm_weights *weights, const lstm_kernels *kernels,
                          layout lay_out, lstm_packed *memory)
{
    size_t total = 0;
    for (size_t i = 0; i < lstm_weights_count(weights); i++)
        total += lay_out(weights, kernels, &weights->direction[i],
                         memory ? memory + total : NULL);
    return total;
}

/* Packs the panels if their version is not that of the weights. */
static void update(lstm_weights *weights, uint64_t *packed, lstm_team_function pack)
{
    if (*packed != weights->version)
        lstm_pool_run(pack, weights, lstm_blocks(weights->config.hidden));
    *packed = weights->version;
}

/* Another thread may fork at any moment (see core/lock.h): panels is NULL while the
 * addresses change. */
static lstm_status reserve_forward(lstm_weights *weights, bool training)
{
    const lstm_kernels *kernels = lstm_weights_kernels(weights, training);
    lstm_packed *before = weights->panels, *memory = before;
    if (before && weights->wide == kernels->wide)
        return LSTM_OK;
    size_t size = lay_out_all(weights, kernels, lay_out_forward, NULL);
    if (!before || size > weights->panels_size)
        memory = common_alloc(size, sizeof(lstm_packed));
    if (!memory)
        return lstm_fail_memory("layer");
    weights->panels = NULL;
    weights->packed = 0;
    atomic_thread_fence(memory_order_release);
    lay_out_all(weights, kernels, lay_out_forward, memory);
    weights->wide = kernels->wide;
    if (memory != before)
        weights->panels_size = size;
    atomic_thread_fence(memory_order_release);
    weights->panels = memory;
    if (memory != before)
        common_free(before);
    return LSTM_OK;
}

static lstm_status reserve_backward(lstm_weights *weights)
{
    const lstm_kernels *kernels = backward_kernels(weights);
    if (weights->back_panels)
        return LSTM_OK;
    size_t size = lay_out_all(weights, kernels, lay_out_backward, NULL);
    lstm_packed *memory = common_alloc(size, sizeof(lstm_packed));
    if (!memory)
        return lstm_fail_memory("layer");
    lay_out_all(weights, kernels, lay_out_backward, memory);
    /* Last, because another thread may fork at any moment: see core/lock.h. */
    atomic_thread_fence(memory_order_release);
    weights->back_panels = memory;
    return LSTM_OK;
}

/* int8 has no value for an infinity or a NaN. */
static lstm_status check_finite(const lstm_weights *weights)
{
    for (size_t i = 0; i < weights->parameter_count; i++) {
        const lstm_parameter *parameter = &weights->parameters[i];
        const lstm_tensor *value = parameter->value;
        for (size_t j = 0; value->rank == 2 && j < lstm_tensor_count(value); j++)
            if (!isfinite(value->data[j]))
                return lstm_fail(LSTM_NOT_FINITE,
                                 "layer: %s is %g at element %zu, expected a finite "
                                 "number: the precision is int8",
                                 parameter->name, (double)value->data[j], j);
    }
    return LSTM_OK;
}

/* Checks the values that a call will pack. */
static lstm_status check_values(const lstm_weights *weights, bool changed)
{
    return changed && weights->config.precision == LSTM_INT8 ? check_finite(weights)
                                                             : LSTM_OK;
}

lstm_status lstm_weights_pack(lstm_weights *weights, bool training, bool always)
{
    lstm_lock_acquire(&weights->packing);
    lstm_status status = check_values(weights, weights->packed != weights->version);
    if (!status)
        status = reserve_forward(weights, training);
    /* Backward must read the same values as forward. */
    if (!status && always)
        weights->packed = weights->packed_back = weights->packed_input = 0;
    if (!status)
        update(weights, &weights->packed, pack_forward_on_thread);
    lstm_lock_release(&weights->packing);
    return status;
}

lstm_status lstm_weights_pack_backward(lstm_weights *weights, bool dx)
{
    lstm_status status = reserve_backward(weights);
    if (!status)
        update(weights, &weights->packed_back, pack_backward_on_thread);
    if (!status && dx)
        update(weights, &weights->packed_input, pack_input_on_thread);
    return status;
}

lstm_status lstm_weights_repack(lstm_weights *weights, bool training)
{
    lstm_status status = check_values(weights, true);
    if (!status && training)
        status = reserve_backward(weights);
    if (!status)
        status = reserve_forward(weights, training);
    if (status)
        return status;
    weights->version++;
    update(weights, &weights->packed, pack_forward_on_thread);
    if (training)
        update(weights, &weights->packed_back, pack_backward_on_thread);
    return LSTM_OK;
}
