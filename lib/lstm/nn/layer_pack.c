/*
 * The panels of packed weights: their memory, and packing on the threads of a team. See
 * kernels/pack.h for the layouts.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/pack.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

static lstm_packed *take(lstm_packed **cursor, size_t count)
{
    lstm_packed *start = *cursor;
    *cursor += count;
    return start;
}

static size_t cell_depth(const lstm_layer *layer, const lstm_direction *direction)
{
    return lstm_packed_depth(lstm_layer_kernels(layer), direction->x_segments,
                             direction->x_channels) +
           lstm_packed_depth(lstm_layer_kernels(layer), 1, layer->state);
}

/* Points a direction's forward panels into memory, or with NULL only counts elements.
 */
static size_t place_forward(const lstm_layer *layer, lstm_direction *direction,
                            lstm_packed *memory)
{
    size_t blocks = lstm_blocks(layer->config.hidden);
    lstm_packed *cursor = memory;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    size_t projection =
        layer->config.proj_size
            ? lstm_packed_depth(lstm_layer_kernels(layer), 1, layer->config.hidden) *
                  lstm_blocks(layer->state) * LSTM_BLOCK
            : 0;
    size_t cell = blocks * cell_depth(layer, direction) * line;
    if (memory) {
        direction->cell = take(&cursor, cell);
        direction->bias = (float *)take(&cursor, blocks * line);
        direction->project = take(&cursor, projection);
    }
    return cell + blocks * line + projection;
}

static size_t place_backward(const lstm_layer *layer, lstm_direction *direction,
                             lstm_packed *memory)
{
    lstm_packed *cursor = memory;
    size_t gates =
        lstm_packed_depth(lstm_layer_kernels(layer), LSTM_GATES, layer->config.hidden);
    size_t h = gates * lstm_blocks(layer->state) * LSTM_BLOCK;
    size_t x =
        gates * direction->x_segments * lstm_blocks(direction->x_channels) * LSTM_BLOCK;
    size_t projection =
        layer->config.proj_size
            ? lstm_packed_depth(lstm_layer_kernels(layer), 1, layer->state) *
                  lstm_blocks(layer->config.hidden) * LSTM_BLOCK
            : 0;
    if (memory) {
        direction->back_h = take(&cursor, h);
        direction->back_x = take(&cursor, x);
        direction->back_project = take(&cursor, projection);
    }
    return h + x + projection;
}

static void pack_cell_block(const lstm_layer *layer, const lstm_direction *direction,
                            size_t block)
{
    const lstm_kernels *kernels = lstm_layer_kernels(layer);
    size_t units = kernels->cell_units, hidden = layer->config.hidden;
    const lstm_gate_matrix weight_ih = {direction->weight_ih->value->data, hidden,
                                        direction->x_segments, direction->x_channels};
    const lstm_gate_matrix weight_hh = {direction->weight_hh->value->data, hidden, 1,
                                        layer->state};
    size_t inputs =
        lstm_packed_depth(kernels, direction->x_segments, direction->x_channels);
    size_t depth = cell_depth(layer, direction), line = LSTM_GATES * units;
    lstm_packed *to = direction->cell + block * depth * LSTM_GATES * LSTM_BLOCK;
    for (size_t lane = 0; lane < LSTM_BLOCK; lane += units, to += depth * line) {
        size_t unit = block * LSTM_BLOCK + lane;
        lstm_pack_gates(kernels, &weight_ih, unit, to);
        lstm_pack_gates(kernels, &weight_hh, unit, to + inputs * line);
    }
    lstm_pack_bias(direction->bias_ih ? direction->bias_ih->value->data : NULL,
                   direction->bias_ih ? direction->bias_hh->value->data : NULL, hidden,
                   block, direction->bias + block * LSTM_GATES * LSTM_BLOCK);
}

/* The share's panels of a matrix. */
static void pack_matrix(const lstm_layer *layer, lstm_matrix from, lstm_packed *to,
                        size_t share, size_t shares)
{
    size_t total = from.segments * lstm_blocks(from.channels);
    size_t unit = lstm_layer_kernels(layer)->product_blocks;
    size_t depth =
        lstm_packed_depth(lstm_layer_kernels(layer), from.k_segments, from.k_channels);
    size_t end = lstm_range_start(total, unit, share + 1, shares);
    for (size_t block = lstm_range_start(total, unit, share, shares); block < end;
         block += unit) {
        size_t blocks = total - block < unit ? total - block : unit;
        lstm_pack_panel(lstm_layer_kernels(layer), &from, block, blocks,
                        to + block * depth * LSTM_BLOCK);
    }
}

static void pack_forward_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    (void)team;
    lstm_layer *layer = work;
    size_t blocks = lstm_blocks(layer->config.hidden);
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_direction *direction = &layer->direction[i];
        size_t end = lstm_range_start(blocks, 1, share + 1, shares);
        for (size_t j = lstm_range_start(blocks, 1, share, shares); j < end; j++)
            pack_cell_block(layer, direction, j);
        if (direction->weight_hr)
            pack_matrix(layer,
                        (lstm_matrix){direction->weight_hr->value->data, 1,
                                      layer->config.hidden, 1, layer->config.hidden, 1,
                                      layer->state},
                        direction->project, share, shares);
    }
}

static void pack_backward_share(void *work, lstm_team *team, size_t share,
                                size_t shares)
{
    (void)team;
    lstm_layer *layer = work;
    size_t hidden = layer->config.hidden;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_direction *direction = &layer->direction[i];
        size_t inputs = direction->x_segments * direction->x_channels;
        pack_matrix(layer,
                    (lstm_matrix){direction->weight_hh->value->data, LSTM_GATES, hidden,
                                  layer->state, 1, 1, layer->state},
                    direction->back_h, share, shares);
        pack_matrix(layer,
                    (lstm_matrix){direction->weight_ih->value->data, LSTM_GATES, hidden,
                                  inputs, 1, direction->x_segments,
                                  direction->x_channels},
                    direction->back_x, share, shares);
        if (direction->weight_hr)
            pack_matrix(layer,
                        (lstm_matrix){direction->weight_hr->value->data, 1,
                                      layer->state, hidden, 1, 1, hidden},
                        direction->back_project, share, shares);
    }
}

static lstm_status allocate(lstm_layer *layer, lstm_packed **panels,
                            size_t (*place)(const lstm_layer *, lstm_direction *,
                                            lstm_packed *))
{
    size_t total = 0, count = layer->config.layers * layer->directions;
    for (size_t i = 0; i < count; i++)
        total += place(layer, &layer->direction[i], NULL);
    *panels = common_alloc(total, sizeof(lstm_packed));
    if (!*panels)
        return lstm_fail_memory("layer");
    lstm_packed *cursor = *panels;
    for (size_t i = 0; i < count; i++)
        cursor += place(layer, &layer->direction[i], cursor);
    return LSTM_OK;
}

/* Packs unless the panels are those of this version of the weights. */
static void update(lstm_layer *layer, uint64_t *packed, lstm_team_function pack)
{
    if (*packed != layer->version)
        lstm_pool_run(pack, layer, lstm_blocks(layer->config.hidden));
    *packed = layer->version;
}

static lstm_status reserve_forward(lstm_layer *layer)
{
    return layer->panels ? LSTM_OK : allocate(layer, &layer->panels, place_forward);
}

static lstm_status reserve_backward(lstm_layer *layer)
{
    return layer->back_panels ? LSTM_OK
                              : allocate(layer, &layer->back_panels, place_backward);
}

lstm_status lstm_panels_update(lstm_layer *layer, bool anew)
{
    pthread_mutex_lock(&layer->packing);
    lstm_status status = reserve_forward(layer);
    /* Whoever changed the weights, backward sees the same ones as forward. */
    if (!status && anew)
        layer->packed = layer->packed_back = 0;
    if (!status)
        update(layer, &layer->packed, pack_forward_share);
    pthread_mutex_unlock(&layer->packing);
    return status;
}

lstm_status lstm_back_panels_update(lstm_layer *layer)
{
    lstm_status status = reserve_backward(layer);
    if (!status)
        update(layer, &layer->packed_back, pack_backward_share);
    return status;
}

lstm_status lstm_layer_read_weights(lstm_layer *layer)
{
    lstm_status status = reserve_forward(layer);
    if (!status && layer->training)
        status = reserve_backward(layer);
    if (status)
        return status;
    layer->version++;
    update(layer, &layer->packed, pack_forward_share);
    if (layer->training)
        update(layer, &layer->packed_back, pack_backward_share);
    return LSTM_OK;
}
