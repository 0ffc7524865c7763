/*
 * Weights into the panels that the kernels read.
 *
 * The cell's panel of a block of 16 hidden units is, for each group of as many units as
 * a vector has lanes, [k][i units, f units, g units, o units]: k runs over the input's
 * channels, then over h's. A product's panel is [k][columns of some blocks]. Lanes past
 * the last unit or channel are zero. With bfloat16 a line holds pairs, of k and k + 1
 * of a segment, the second zero where there is none.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* A matrix of a product: element (k, column) at data[k * k_stride + column *
 * column_stride], both in segments of channels. */
typedef struct {
    const float *data;
    size_t k_segments, k_channels, k_stride, column_stride;
    size_t segments, channels;
} matrix;

static float *take(float **cursor, size_t count)
{
    float *start = *cursor;
    *cursor += count;
    return start;
}

static size_t cell_depth(const lstm_layer *layer, const lstm_direction *direction)
{
    return lstm_lines(lstm_layer_kernels(layer), direction->x_segments,
                      direction->x_channels) +
           lstm_lines(lstm_layer_kernels(layer), 1, layer->state);
}

/* Points a direction's forward panels into memory, or with NULL only counts floats. */
static size_t place_forward(const lstm_layer *layer, lstm_direction *direction,
                            float *memory)
{
    size_t blocks = lstm_blocks(layer->config.hidden);
    float *cursor = memory;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    size_t projection =
        layer->config.proj_size
            ? lstm_lines(lstm_layer_kernels(layer), 1, layer->config.hidden) *
                  lstm_blocks(layer->state) * LSTM_BLOCK
            : 0;
    size_t cell = blocks * cell_depth(layer, direction) * line;
    if (memory) {
        direction->cell = take(&cursor, cell);
        direction->bias = take(&cursor, blocks * line);
        direction->project = take(&cursor, projection);
    }
    return cell + blocks * line + projection;
}

static size_t place_backward(const lstm_layer *layer, lstm_direction *direction,
                             float *memory)
{
    float *cursor = memory;
    size_t gates =
        lstm_lines(lstm_layer_kernels(layer), LSTM_GATES, layer->config.hidden);
    size_t h = gates * lstm_blocks(layer->state) * LSTM_BLOCK;
    size_t x =
        gates * direction->x_segments * lstm_blocks(direction->x_channels) * LSTM_BLOCK;
    size_t projection = layer->config.proj_size
                            ? lstm_lines(lstm_layer_kernels(layer), 1, layer->state) *
                                  lstm_blocks(layer->config.hidden) * LSTM_BLOCK
                            : 0;
    if (memory) {
        direction->back_h = take(&cursor, h);
        direction->back_x = take(&cursor, x);
        direction->back_project = take(&cursor, projection);
    }
    return h + x + projection;
}

typedef float quad __attribute__((vector_size(16)));

static quad load_quad(const float *from)
{
    quad x;
    memcpy(&x, from, sizeof(x));
    return x;
}

/* to[k][lane] = from[lane][k] for four of each. */
static void transpose_quad(const float *from, size_t from_stride, float *to,
                           size_t to_stride)
{
    quad a = load_quad(from), b = load_quad(from + from_stride);
    quad c = load_quad(from + 2 * from_stride), d = load_quad(from + 3 * from_stride);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    quad rows[4] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5),
                    __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                    __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                    __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (size_t k = 0; k < 4; k++)
        memcpy(to + k * to_stride, &rows[k], sizeof(rows[k]));
}

/* to[k][lane] = from[lane][k], or zero for lanes past the real ones. In blocks of four
 * by four, which takes half the time of element by element. */
static void pack_lanes(const float *from, size_t depth, size_t lanes, size_t real,
                       float *to, size_t stride)
{
    enum { QUAD = 4 };
    size_t lane = 0;
    for (; lane + QUAD <= real; lane += QUAD) {
        const float *rows = from + lane * depth;
        size_t k = 0;
        for (; k + QUAD <= depth; k += QUAD)
            transpose_quad(rows + k, depth, to + k * stride + lane, stride);
        for (; k < depth; k++)
            for (size_t i = 0; i < QUAD; i++)
                to[k * stride + lane + i] = rows[i * depth + k];
    }
    for (; lane < lanes; lane++)
        for (size_t k = 0; k < depth; k++)
            to[k * stride + lane] = lane < real ? from[lane * depth + k] : 0;
}

typedef uint32_t quad_bits __attribute__((vector_size(16)));

/* lstm_bf16() of four numbers, each in the upper half of its lane. */
static quad_bits round_quad(quad x)
{
    quad_bits bits = (quad_bits)x, size = bits & 0x7fffffffu;
    quad_bits rounded = bits + 0x7fffu + (bits >> 16 & 1u);
    quad_bits nan = (quad_bits)(size > 0x7f800000u);
    quad_bits tiny = (quad_bits)(size < 0x00800000u);
    rounded = (nan & (bits | 0x400000u)) | (~nan & rounded);
    return ((tiny & bits & 0x80000000u) | (~tiny & rounded)) & 0xffff0000u;
}

/* Pairs of neighbours, the last of an odd number with a zero; four at a time, which
 * makes packing of the experiment 0.27 ms instead of 0.35. */
static void round_row(const float *from, size_t count, float *to)
{
    enum { STEP = 8 };
    size_t k = 0;
    for (; k + STEP <= count; k += STEP) {
        quad_bits a = round_quad(load_quad(from + k));
        quad_bits b = round_quad(load_quad(from + k + STEP / 2));
        quad_bits pairs = __builtin_shufflevector(a, b, 0, 2, 4, 6) >> 16 |
                          __builtin_shufflevector(a, b, 1, 3, 5, 7);
        memcpy(to + k / 2, &pairs, sizeof(pairs));
    }
    for (; k < count; k += 2)
        to[k / 2] =
            lstm_pair(lstm_bf16(from[k]), k + 1 < count ? lstm_bf16(from[k + 1]) : 0);
}

/* The same with pairs of k of each segment. */
static void pack_lanes_of_pairs(const float *from, size_t segments, size_t channels,
                                size_t lanes, size_t real, float *to, size_t stride)
{
    enum { PIECE = 128 };
    float pairs[LSTM_BLOCK * PIECE / 2];
    size_t depth = segments * channels;
    for (size_t segment = 0; segment < segments; segment++)
        for (size_t k = 0; k < channels; k += PIECE) {
            size_t count = channels - k < PIECE ? channels - k : PIECE;
            size_t lines = (count + 1) / 2;
            for (size_t lane = 0; lane < real; lane++)
                round_row(from + lane * depth + segment * channels + k, count,
                          pairs + lane * lines);
            pack_lanes(pairs, lines, lanes, real, to, stride);
            to += lines * stride;
        }
}

/* Units unit to unit + units - 1 of each gate, side by side, for all k of a matrix. */
static void pack_gates(const lstm_layer *layer, const float *weights, size_t segments,
                       size_t channels, size_t unit, size_t units, float *to)
{
    size_t hidden = layer->config.hidden, depth = segments * channels;
    size_t left = unit < hidden ? hidden - unit : 0;
    size_t real = left < units ? left : units;
    for (size_t gate = 0; gate < LSTM_GATES; gate++, to += units) {
        const float *from = weights + (gate * hidden + (left ? unit : 0)) * depth;
        if (lstm_layer_kernels(layer)->k_step == 2)
            pack_lanes_of_pairs(from, segments, channels, units, real, to,
                                LSTM_GATES * units);
        else
            pack_lanes(from, depth, units, real, to, LSTM_GATES * units);
    }
}

static void pack_bias(const lstm_layer *layer, const lstm_direction *direction,
                      size_t block)
{
    size_t hidden = layer->config.hidden;
    float *to = direction->bias + block * LSTM_GATES * LSTM_BLOCK;
    for (size_t gate = 0; gate < LSTM_GATES; gate++)
        for (size_t lane = 0; lane < LSTM_BLOCK; lane++, to++) {
            size_t unit = block * LSTM_BLOCK + lane, row = gate * hidden + unit;
            *to = 0;
            if (direction->bias_ih && unit < hidden)
                *to = direction->bias_ih->value->data[row] +
                      direction->bias_hh->value->data[row];
        }
}

static void pack_cell_block(const lstm_layer *layer, const lstm_direction *direction,
                            size_t block)
{
    size_t units = lstm_layer_kernels(layer)->cell_units;
    size_t inputs = lstm_lines(lstm_layer_kernels(layer), direction->x_segments,
                               direction->x_channels);
    size_t depth = cell_depth(layer, direction), line = LSTM_GATES * units;
    float *to = direction->cell + block * depth * LSTM_GATES * LSTM_BLOCK;
    for (size_t lane = 0; lane < LSTM_BLOCK; lane += units, to += depth * line) {
        size_t unit = block * LSTM_BLOCK + lane;
        pack_gates(layer, direction->weight_ih->value->data, direction->x_segments,
                   direction->x_channels, unit, units, to);
        pack_gates(layer, direction->weight_hh->value->data, 1, layer->state, unit,
                   units, to + inputs * line);
    }
    pack_bias(layer, direction, block);
}

/* Numbers of a line of one block: width of them stride apart, the rest zero. Of two
 * rows of a matrix when lines hold pairs, after NULL of one. */
static void pack_line(const float *first, const float *second, size_t stride,
                      size_t width, bool pairs, float *line)
{
    if (!pairs && stride == 1 && width == LSTM_BLOCK)
        memcpy(line, first, LSTM_BLOCK * sizeof(float));
    else if (pairs && second && stride == 1 && width == LSTM_BLOCK)
        for (size_t lane = 0; lane < LSTM_BLOCK; lane += 4) {
            quad_bits both = round_quad(load_quad(first + lane)) >> 16 |
                             round_quad(load_quad(second + lane));
            memcpy(line + lane, &both, sizeof(both));
        }
    else if (pairs && second)
        for (size_t lane = 0; lane < width; lane++)
            line[lane] = lstm_pair(lstm_bf16(first[lane * stride]),
                                   lstm_bf16(second[lane * stride]));
    else if (pairs)
        for (size_t lane = 0; lane < width; lane++)
            line[lane] = lstm_pair(lstm_bf16(first[lane * stride]), 0);
    else
        for (size_t lane = 0; lane < width; lane++)
            line[lane] = first[lane * stride];
    memset(line + width, 0, (LSTM_BLOCK - width) * sizeof(float));
}

/* One panel: blocks of columns from block on, for all k. */
static void pack_panel(const matrix *from, size_t k_step, size_t block, size_t blocks,
                       float *to)
{
    size_t each = lstm_blocks(from->channels);
    for (size_t i = 0; i < blocks; i++) {
        size_t segment = (block + i) / each, channel = (block + i) % each * LSTM_BLOCK;
        size_t left = from->channels - channel;
        size_t width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
        const float *source =
            from->data + (segment * from->channels + channel) * from->column_stride;
        float *line = to + i * LSTM_BLOCK;
        for (size_t s = 0; s < from->k_segments; s++)
            for (size_t k = 0; k < from->k_channels; k += k_step) {
                bool second = k + 1 < from->k_channels;
                pack_line(source, second ? source + from->k_stride : NULL,
                          from->column_stride, width, k_step == 2, line);
                source += (second ? k_step : 1) * from->k_stride;
                line += blocks * LSTM_BLOCK;
            }
    }
}

/* The share's panels of a matrix. */
static void pack_matrix(const lstm_layer *layer, matrix from, float *to, size_t share,
                        size_t shares)
{
    size_t total = from.segments * lstm_blocks(from.channels);
    size_t unit = lstm_layer_kernels(layer)->product_blocks;
    size_t lines =
        lstm_lines(lstm_layer_kernels(layer), from.k_segments, from.k_channels);
    size_t end = lstm_range_start(total, unit, share + 1, shares);
    for (size_t block = lstm_range_start(total, unit, share, shares); block < end;
         block += unit) {
        size_t blocks = total - block < unit ? total - block : unit;
        pack_panel(&from, lstm_layer_kernels(layer)->k_step, block, blocks,
                   to + block * lines * LSTM_BLOCK);
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
                        (matrix){direction->weight_hr->value->data, 1,
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
                    (matrix){direction->weight_hh->value->data, LSTM_GATES, hidden,
                             layer->state, 1, 1, layer->state},
                    direction->back_h, share, shares);
        pack_matrix(layer,
                    (matrix){direction->weight_ih->value->data, LSTM_GATES, hidden,
                             inputs, 1, direction->x_segments, direction->x_channels},
                    direction->back_x, share, shares);
        if (direction->weight_hr)
            pack_matrix(layer,
                        (matrix){direction->weight_hr->value->data, 1, layer->state,
                                 hidden, 1, 1, hidden},
                        direction->back_project, share, shares);
    }
}

static lstm_status allocate(lstm_layer *layer, float **panels,
                            size_t (*place)(const lstm_layer *, lstm_direction *,
                                            float *))
{
    size_t total = 0, count = layer->config.layers * layer->directions;
    for (size_t i = 0; i < count; i++)
        total += place(layer, &layer->direction[i], NULL);
    *panels = common_alloc(total, sizeof(float));
    if (!*panels)
        return lstm_fail_memory("layer");
    float *cursor = *panels;
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
