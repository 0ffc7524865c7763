/*
 * The cell, the projection and the cell of a single row with int8 weights; see bytes.h.
 *
 * Every kernel computes one row of activations after the other. It rounds the row, adds
 * exact integer products, and then continues in float32 as the other tables do. Weights
 * of one byte stay in the first-level or second-level cache between rows.
 */
#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/bytes.h"
#include "lib/lstm/kernels/cell.h"
#include "lib/lstm/kernels/simd_bytes.h"

#if KERNEL_TABLES & BYTES

/* Groups of LANES units of a single row that are computed together: they share the
 * loads of activations, and their chains hide the latency of the products. */
enum { BYTE_GROUPS = 2 };
/* Vectors of the largest tile: those groups, the groups of a block, or a panel of a
 * product. */
enum {
    BYTE_UNITS =
        (int)BYTE_GROUPS > (int)BLOCK_VECTORS ? (int)BYTE_GROUPS : (int)BLOCK_VECTORS,
    BYTE_VECTORS = LSTM_GATES * BYTE_UNITS
};
_Static_assert((size_t)BYTE_VECTORS >= (size_t)PRODUCT_VECTORS, "a tile holds a panel");

/* A rounded part of a row. */
typedef struct {
    _Alignas(64) int16_t quads[LSTM_BYTE_CHANNELS];
    size_t depth;
    /* 2^(e - 14), or NaN. */
    float unit;
    /* Cancels the 128 in the bytes: -128 times the sum of the activations. */
    uint32_t start;
} byte_part;

#define UNROLL_QUADS _Pragma("GCC unroll 4")
/* Parts of a row that are kept, so that all tiles use them. */
enum { BYTE_PARTS = 2 };

/* A row of activations: blocks with a stride. */
typedef struct {
    const float *data;
    size_t stride, segments, channels;
    bool kept;
    byte_part parts[BYTE_PARTS];
} byte_row;

/* Copies channels of blocks to values, pads them with zeros to whole blocks, and
 * returns the bits of the largest size. */
static uint32_t BODY(byte_largest)(const float *block, size_t stride, size_t channels,
                                   float *values)
{
    vi most = {0};
    for (size_t c = 0; c < channels; c += BLOCK, block += stride, values += BLOCK) {
        const float *from = block;
        if (channels - c < BLOCK) {
            memset(values, 0, BLOCK * sizeof(float));
            memcpy(values, block, (channels - c) * sizeof(float));
            from = values;
        }
        UNROLL for (size_t v = 0; v < BLOCK; v += LANES)
        {
            vf value = v_loadu(from + v);
            vi size = (vi)value & 0x7fffffff, larger = size > most;
            most = (larger & size) | (~larger & most);
            v_store(values + v, value);
        }
    }
    return (uint32_t)v_largest(most);
}

/* Rounds a part of a row. */
static void BODY(byte_round)(byte_part *part, const float *block, size_t stride,
                             size_t channels)
{
    /* Adding 1.5 * 2^23 rounds to an integer, which is then in the last bits. */
    enum { BIAS = 127, LEAST = BIAS - 1 - 100, SPECIAL = 255, ROUND_BITS = 0x4b400000 };
    _Alignas(64) float values[LSTM_BYTE_CHANNELS];
    uint32_t exponent = BODY(byte_largest)(block, stride, channels, values) >> 23;
    if (exponent < LEAST)
        exponent = LEAST;
    /* All sizes are below 2^(exponent - 126). */
    uint32_t up = (2 * BIAS - 1 + LSTM_ACTIVATION_BITS - exponent) << 23;
    uint32_t down = (exponent + 1 - LSTM_ACTIVATION_BITS) << 23;
    if (exponent == SPECIAL)
        down = 0x7fc00000u;
    float factor;
    memcpy(&factor, &up, sizeof(factor));
    memcpy(&part->unit, &down, sizeof(part->unit));
    vu total = {0};
    for (size_t c = 0; c < channels; c += BLOCK)
        UNROLL for (size_t v = 0; v < BLOCK; v += LANES)
        {
            vf scaled = v_load(values + c + v) * factor;
            vu rounded = (vu)(scaled + 12582912.0f) - ROUND_BITS;
            total += rounded;
            v_quads_store(part->quads, c + v, (vi)rounded);
        }
    part->start = -LSTM_BYTE_ZERO * v_total(total);
    part->depth = (channels + LSTM_QUAD - 1) / LSTM_QUAD;
}

static size_t BODY(byte_parts)(size_t channels)
{
    return (channels + LSTM_BYTE_CHANNELS - 1) / LSTM_BYTE_CHANNELS;
}

/* Rounds all parts of a row of one segment, if there is room for them. */
static void BODY(byte_keep)(byte_row *row)
{
    size_t parts = BODY(byte_parts)(row->channels);
    row->kept = row->data && parts <= BYTE_PARTS;
    for (size_t i = 0; row->kept && i < parts; i++) {
        size_t first = i * LSTM_BYTE_CHANNELS, left = row->channels - first;
        BODY(byte_round)
        (&row->parts[i], row->data + first / BLOCK * row->stride, row->stride,
         left < LSTM_BYTE_CHANNELS ? left : LSTM_BYTE_CHANNELS);
    }
}

/* The offset of a unit of the first gate in [blocks][4][16]. */
INLINE size_t byte_offset(size_t unit)
{
    return unit / BLOCK * LSTM_GATES * BLOCK + unit % BLOCK;
}

/* The address of a vector of [blocks][4][16], or of the columns of a product: vectors
 * is the number of vectors of a group of units, 4 gates, or 0 for a product. */
INLINE const float *byte_vector(const float *from, size_t unit, size_t group,
                                size_t vector, bool gates)
{
    return gates ? from + byte_offset(unit + group * LANES) + vector * BLOCK
                 : from + vector * LANES;
}

/* A tile: the rows of weights of some groups of units, or of a panel of a product. */
typedef struct {
    size_t groups, vectors;
    /* Stride of the groups in the weights. */
    size_t stride;
    size_t unit;
    bool gates;
} byte_tile;

/* sums[group][vector] += the product of a part. Returns the end of its weights. */
INLINE const float *byte_multiply(vf *sums, const byte_tile *t, const byte_part *part,
                                  const float *weights, const float *scales)
{
    v_sums acc[BYTE_VECTORS];
    UNROLL for (size_t i = 0; i < t->groups * t->vectors; i++) acc[i] = v_sums_zero();
    UNROLL_QUADS for (size_t k = 0; k < part->depth; k++, weights += t->vectors * LANES)
        UNROLL for (size_t g = 0; g < t->groups; g++)
            UNROLL for (size_t v = 0; v < t->vectors; v++)
    {
        vf quads = v_load(weights + g * t->stride + v * LANES);
        V_HOLD(quads);
        acc[g * t->vectors + v] = v_quads_add(acc[g * t->vectors + v], (vu)quads,
                                              part->quads + k * LSTM_QUAD);
    }
    UNROLL for (size_t g = 0; g < t->groups; g++)
        UNROLL for (size_t v = 0; v < t->vectors; v++)
    {
        vu total = v_sums_total(acc[g * t->vectors + v]) + part->start;
        vf product = __builtin_convertvector((vi)total, vf) * part->unit;
        vf scale = v_load(byte_vector(scales, t->unit, g, v, t->gates));
        sums[g * t->vectors + v] = v_fma(scale, product, sums[g * t->vectors + v]);
    }
    return weights;
}

/* The same for all parts of a row. */
INLINE const float *byte_multiply_row(vf *sums, const byte_tile *t, byte_row *row,
                                      const float *weights, const float *scales)
{
    const float *data = row->data;
    size_t index = 0;
    for (size_t segment = 0; segment < row->segments; segment++)
        for (size_t c = 0; c < row->channels; c += LSTM_BYTE_CHANNELS, index++) {
            size_t left = row->channels - c;
            size_t n = left < LSTM_BYTE_CHANNELS ? left : LSTM_BYTE_CHANNELS;
            byte_part *part = &row->parts[row->kept ? index : 0];
            if (!row->kept)
                BODY(byte_round)(part, data, row->stride, n);
            weights = byte_multiply(sums, t, part, weights, scales);
            data += (n + BLOCK - 1) / BLOCK * row->stride;
        }
    return weights;
}

static size_t BODY(byte_depth)(size_t segments, size_t channels)
{
    return segments * ((channels + LSTM_QUAD - 1) / LSTM_QUAD);
}

/* Cells -------------------------------------------------------------------------------
 */

/* The sums of gates of some groups of units from unit on: those at from, and the
 * products of x, if it is not NULL, and of h. */
INLINE void byte_gates(vf *sums, size_t groups, size_t unit, const float *from,
                       byte_row *x, byte_row *h, size_t x_depth, size_t h_depth,
                       const lstm_packed *panels, const float *x_scales,
                       const float *h_scales)
{
    const size_t line = LSTM_GATES * LANES, stride = (x_depth + h_depth) * line;
    const byte_tile tile = {groups, LSTM_GATES, stride, unit, true};
    const float *weights = (const float *)panels + unit / LANES * stride;
    UNROLL for (size_t g = 0; g < groups; g++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) sums[g * LSTM_GATES + q] =
            v_load(byte_vector(from, unit, g, q, true));
    if (x)
        byte_multiply_row(sums, &tile, x, weights, x_scales);
    if (h && h->data)
        byte_multiply_row(sums, &tile, h, weights + x_depth * line, h_scales);
}

static void BODY(byte_cell)(const lstm_cell *job)
{
    size_t x_depth = BODY(byte_depth)(job->x.segments, job->x.channels);
    size_t h_depth = BODY(byte_depth)(job->h.segments, job->h.channels);
    for (size_t r = 0; r < job->rows; r++) {
        byte_row x, h;
        x.data = job->x.data + r * BLOCK;
        h.data = job->h.data ? job->h.data + r * BLOCK : NULL;
        x.stride = h.stride = job->stride;
        x.segments = job->x.segments;
        h.segments = job->h.segments;
        x.channels = job->x.channels;
        h.channels = job->h.channels;
        x.kept = h.kept = false;
        vf sums[BYTE_VECTORS];
        byte_gates(sums, BLOCK_VECTORS, 0, job->bias, &x, &h, x_depth, h_depth,
                   job->weights, job->x_scales, job->h_scales);
        UNROLL for (size_t g = 0; g < BLOCK_VECTORS; g++)
        {
            size_t offset = r * BLOCK + g * LANES;
            vf c = cell_state(job, offset, sums + g * LSTM_GATES);
            v_store(job->h_out + offset,
                    cell_output(job, offset, c, sums[g * LSTM_GATES + 3]));
        }
    }
}

/* A plain array as a row. */
static void BODY(byte_array)(byte_row *row, const float *data, size_t channels)
{
    row->data = data;
    row->stride = BLOCK;
    row->segments = 1;
    row->channels = channels;
    BODY(byte_keep)(row);
}

/* Units whose sums are complete before their cells are computed. The cells of several
 * groups then overlap: each is a long chain of dependent operations. */
enum { BYTE_CHUNK = 128 };

/* Computes the sums of units unit to end - 1, at most BYTE_CHUNK. */
INLINE void byte_chunk_sums(const lstm_cell_row *job, byte_row *x, byte_row *h,
                            size_t unit, size_t end, vf *sums)
{
    size_t x_depth = BODY(byte_depth)(1, job->inputs);
    size_t h_depth = BODY(byte_depth)(1, job->state);
    const float *from = job->sums ? job->sums : job->bias;
    x = job->sums ? NULL : x;
    for (; unit + LANES < end; unit += BYTE_GROUPS * LANES) {
        byte_gates(sums, BYTE_GROUPS, unit, from, x, h, x_depth, h_depth, job->weights,
                   job->x_scales, job->h_scales);
        sums += BYTE_GROUPS * LSTM_GATES;
    }
    if (unit < end)
        byte_gates(sums, 1, unit, from, x, h, x_depth, h_depth, job->weights,
                   job->x_scales, job->h_scales);
}

static void BODY(byte_cell_row)(const lstm_cell_row *job)
{
    byte_row x, h;
    BODY(byte_array)(&h, job->h, job->state);
    if (!job->sums)
        BODY(byte_array)(&x, job->x, job->inputs);
    const lstm_cell states = {.c_before = job->c_before, .c = job->c};
    for (size_t first = 0; first < job->units; first += BYTE_CHUNK) {
        vf sums[BYTE_CHUNK / LANES * LSTM_GATES], *at = sums;
        size_t left = job->units - first;
        size_t end = first + (left < BYTE_CHUNK ? left : BYTE_CHUNK);
        byte_chunk_sums(job, &x, &h, first, end, sums);
        for (size_t unit = first; unit < end; unit += LANES, at += LSTM_GATES) {
            vf c = cell_state(&states, unit, at);
            v_store(job->h_out + unit, cell_output(&states, unit, c, at[3]));
        }
    }
}

/* The sums of x for many steps: cell_row continues with them. */
static void BODY(byte_cell_inputs)(const lstm_cell_inputs *job)
{
    size_t x_depth = BODY(byte_depth)(1, job->inputs);
    size_t h_depth = BODY(byte_depth)(1, job->state);
    for (size_t step = 0; step < job->steps; step++) {
        byte_row x;
        BODY(byte_array)(&x, job->x + step * job->x_stride, job->inputs);
        float *to = job->sums + step * job->sums_stride;
        for (size_t unit = 0; unit < job->units; unit += LANES) {
            vf sums[LSTM_GATES];
            byte_gates(sums, 1, unit, job->bias, &x, NULL, x_depth, h_depth,
                       job->weights, job->x_scales, NULL);
            UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
                v_store(to + byte_offset(unit) + q * BLOCK, sums[q]);
        }
    }
}

/* Projection --------------------------------------------------------------------------
 */

INLINE void byte_product_panel(const lstm_panel_product *job, size_t vectors)
{
    const byte_tile tile = {1, vectors, 0, 0, false};
    for (size_t r = 0; r < job->rows; r++) {
        byte_row a;
        a.data = job->a.data + r * BLOCK;
        a.stride = job->stride;
        a.segments = job->a.segments;
        a.channels = job->a.channels;
        a.kept = false;
        vf sums[BYTE_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) sums[v] = v_zero();
        byte_multiply_row(sums, &tile, &a, (const float *)job->weights, job->scales);
        UNROLL for (size_t v = 0; v < vectors; v++)
            v_store(job->out + v / BLOCK_VECTORS * job->stride + r * BLOCK +
                        v % BLOCK_VECTORS * LANES,
                    sums[v]);
    }
}

/* out = a W. It neither accumulates nor prefetches: only forward uses it. */
static void BODY(byte_product)(const lstm_panel_product *job)
{
    enum { PANEL_BLOCKS = PRODUCT_VECTORS / BLOCK_VECTORS };
    if (job->blocks == PANEL_BLOCKS)
        byte_product_panel(job, PRODUCT_VECTORS);
    else
        byte_product_panel(job, BLOCK_VECTORS);
}

#endif
