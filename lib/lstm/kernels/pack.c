/*
 * Packing of weights; see pack.h for the layouts.
 *
 * Packing reads and writes memory and computes little. Vectors of four values, which
 * every processor has, are therefore fast enough.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/lstm/kernels/bytes.h"
#include "lib/lstm/kernels/pack.h"
#include "lib/lstm/kernels/pairs.h"

typedef float quad __attribute__((vector_size(16)));
typedef uint32_t quad_bits __attribute__((vector_size(16)));
enum { QUAD = 4 };

LSTM_DEFINE_BF16_ROUND(round_quad, quad_bits)

static quad load_quad(const float *from)
{
    quad x;
    memcpy(&x, from, sizeof(x));
    return x;
}

/* Four values rounded to bfloat16, each in the upper half of its lane. */
static quad_bits load_rounded(const float *from)
{
    return round_quad((quad_bits)load_quad(from));
}

/* Gates -------------------------------------------------------------------------------
 */

/* to[k ^ swap][lane] = from[lane][k] for four of each. */
static void transpose_quad(const float *from, size_t from_stride, size_t swap,
                           float *to, size_t to_stride)
{
    quad a = load_quad(from), b = load_quad(from + from_stride);
    quad c = load_quad(from + 2 * from_stride), d = load_quad(from + 3 * from_stride);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    quad rows[QUAD] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5),
                       __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                       __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                       __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (size_t k = 0; k < QUAD; k++)
        memcpy(to + (k ^ swap) * to_stride, &rows[k], sizeof(rows[k]));
}

/* to[k ^ swap][lane] = from[lane][k], or zero for lanes from real on. row is the stride
 * of lanes in from; swap is 1 to exchange neighbours. Transposing blocks of
 * four by four takes half the time of transposing single elements. */
static void transpose(const float *from, size_t row, size_t depth, size_t lanes,
                      size_t real, size_t swap, float *to, size_t stride)
{
    size_t lane = 0;
    for (; lane + QUAD <= real; lane += QUAD) {
        const float *rows = from + lane * row;
        size_t k = 0;
        for (; k + QUAD <= depth; k += QUAD)
            transpose_quad(rows + k, row, swap, to + k * stride + lane, stride);
        for (; k < depth; k++)
            for (size_t i = 0; i < QUAD; i++)
                to[(k ^ swap) * stride + lane + i] = rows[i * row + k];
    }
    for (; lane < lanes; lane++)
        for (size_t k = 0; k < depth; k++)
            to[(k ^ swap) * stride + lane] = lane < real ? from[lane * row + k] : 0;
}

/* Writes pairs of neighbours; the last value of an odd count is paired with zero. With
 * eight values at a time, packing in the experiment takes 0.27 ms instead of 0.35. */
static void round_row(const float *from, size_t count, float *to)
{
    size_t k = 0;
    for (; k + 2 * QUAD <= count; k += 2 * QUAD) {
        quad_bits a = load_rounded(from + k), b = load_rounded(from + k + QUAD);
        quad_bits pairs = __builtin_shufflevector(a, b, 0, 2, 4, 6) >> 16 |
                          __builtin_shufflevector(a, b, 1, 3, 5, 7);
        memcpy(to + k / 2, &pairs, sizeof(pairs));
    }
    for (; k < count; k += 2)
        to[k / 2] =
            lstm_pair(lstm_bf16(from[k]), k + 1 < count ? lstm_bf16(from[k + 1]) : 0);
}

/* Like transpose(), with pairs of channels within each segment. */
static void transpose_pairs(const float *from, size_t segments, size_t channels,
                            size_t lanes, size_t real, float *to, size_t stride)
{
    /* Number of channels that are rounded, then transposed, at a time. */
    enum { STEP = 128 };
    float pairs[LSTM_BLOCK * STEP / 2];
    size_t row = segments * channels;
    for (size_t segment = 0; segment < segments; segment++)
        for (size_t k = 0; k < channels; k += STEP) {
            size_t count = channels - k < STEP ? channels - k : STEP;
            size_t depth = (count + 1) / 2;
            for (size_t lane = 0; lane < real; lane++)
                round_row(from + lane * row + segment * channels + k, count,
                          pairs + lane * depth);
            transpose(pairs, depth, depth, lanes, real, 0, to, stride);
            to += depth * stride;
        }
}

/* Writes a row of weights, which has one scale, as quads of each segment. */
static void pack_bytes(const float *row, size_t segments, size_t channels,
                       lstm_packed *to, size_t stride)
{
    float scale = lstm_byte_scale(row, segments * channels);
    for (size_t segment = 0; segment < segments; segment++)
        for (size_t k = 0; k < channels; k += LSTM_QUAD, to += stride) {
            memset(to->quad, LSTM_BYTE_ZERO, LSTM_QUAD);
            for (size_t i = 0; i < LSTM_QUAD && k + i < channels; i++, row++)
                to->quad[lstm_quad_byte(i)] =
                    (uint8_t)(LSTM_BYTE_ZERO + lstm_byte(*row, scale));
        }
}

/* Quads of zeros. */
static void pack_zero_bytes(size_t depth, lstm_packed *to, size_t stride)
{
    for (size_t k = 0; k < depth; k++)
        memset(to[k * stride].quad, LSTM_BYTE_ZERO, LSTM_QUAD);
}

/* The quads of some rows of weights, one in each lane; zero from real on. */
static void pack_lanes(const float *rows, size_t segments, size_t channels,
                       size_t lanes, size_t real, lstm_packed *to, size_t stride)
{
    size_t depth = segments * ((channels + LSTM_QUAD - 1) / LSTM_QUAD);
    for (size_t lane = 0; lane < lanes; lane++)
        if (lane < real)
            pack_bytes(rows + lane * segments * channels, segments, channels, to + lane,
                       stride);
        else
            pack_zero_bytes(depth, to + lane, stride);
}

/* Number of channels that are copied, then rounded, at a time: they stay in the
 * first-level cache. */
enum { WIDE_STEP = 64 };

/* Packs real of the units from unit on as wide values. Neighbours are exchanged in each
 * segment, and the last of an odd number of channels is exchanged with zeros. */
static void pack_wide_gates(const lstm_kernels *kernels, const lstm_gate_matrix *from,
                            size_t unit, size_t real, float *to)
{
    size_t units = kernels->cell_units, stride = LSTM_GATES * units;
    size_t row = from->segments * from->channels;
    for (size_t s = 0; s < from->segments; s++)
        for (size_t k = 0; k < from->channels; k += WIDE_STEP) {
            size_t left = from->channels - k;
            size_t count = left < WIDE_STEP ? left : WIDE_STEP, odd = count % 2;
            const float *source = from->data + unit * row + s * from->channels + k;
            for (size_t gate = 0; gate < LSTM_GATES; gate++)
                transpose(source + gate * from->hidden * row, row, count, units, real,
                          1, to + gate * units, stride);
            if (odd)
                memset(to + (count - 1) * stride, 0, stride * sizeof(float));
            kernels->round((count + odd) * stride / LSTM_BLOCK, to);
            to += (count + odd) * stride;
        }
}

void lstm_pack_gates(const lstm_kernels *kernels, const lstm_gate_matrix *from,
                     size_t unit, lstm_packed *to)
{
    size_t units = kernels->cell_units, stride = LSTM_GATES * units;
    size_t row = from->segments * from->channels;
    size_t left = unit < from->hidden ? from->hidden - unit : 0;
    size_t real = left < units ? left : units, first = left ? unit : 0;
    if (kernels->wide) {
        pack_wide_gates(kernels, from, first, real, (float *)to);
        return;
    }
    for (size_t gate = 0; gate < LSTM_GATES; gate++, to += units) {
        const float *rows = from->data + (gate * from->hidden + first) * row;
        if (kernels->k_pack == LSTM_QUAD)
            pack_lanes(rows, from->segments, from->channels, units, real, to, stride);
        else if (kernels->k_pack == 2)
            transpose_pairs(rows, from->segments, from->channels, units, real,
                            (float *)to, stride);
        else
            transpose(rows, row, row, units, real, 0, (float *)to, stride);
    }
}

void lstm_pack_bias(const float *bias_ih, const float *bias_hh, size_t hidden,
                    size_t block, float *to)
{
    for (size_t gate = 0; gate < LSTM_GATES; gate++)
        for (size_t lane = 0; lane < LSTM_BLOCK; lane++, to++) {
            size_t unit = block * LSTM_BLOCK + lane, row = gate * hidden + unit;
            *to = bias_ih && unit < hidden ? bias_ih[row] + bias_hh[row] : 0;
        }
}

void lstm_pack_gate_scales(const lstm_gate_matrix *from, size_t block, float *to)
{
    size_t row = from->segments * from->channels;
    for (size_t gate = 0; gate < LSTM_GATES; gate++)
        for (size_t lane = 0; lane < LSTM_BLOCK; lane++, to++) {
            size_t unit = block * LSTM_BLOCK + lane;
            const float *weights = from->data + (gate * from->hidden + unit) * row;
            *to = unit < from->hidden ? lstm_byte_scale(weights, row) : 0;
        }
}

/* Products ----------------------------------------------------------------------------
 */

/* Packs one position of k in a block: width values with a stride, then zeros. */
static void pack_values(const float *from, size_t stride, size_t width, float *to)
{
    if (stride == 1 && width == LSTM_BLOCK)
        memcpy(to, from, LSTM_BLOCK * sizeof(float));
    else
        for (size_t lane = 0; lane < width; lane++)
            to[lane] = from[lane * stride];
    memset(to + width, 0, (LSTM_BLOCK - width) * sizeof(float));
}

/* Packs pairs of values of two rows; the second row is NULL for zeros. */
static void pack_pairs(const float *first, const float *second, size_t stride,
                       size_t width, float *to)
{
    if (second && stride == 1 && width == LSTM_BLOCK)
        for (size_t lane = 0; lane < LSTM_BLOCK; lane += QUAD) {
            quad_bits both =
                load_rounded(first + lane) >> 16 | load_rounded(second + lane);
            memcpy(to + lane, &both, sizeof(both));
        }
    else
        for (size_t lane = 0; lane < width; lane++)
            to[lane] = lstm_pair(lstm_bf16(first[lane * stride]),
                                 second ? lstm_bf16(second[lane * stride]) : 0);
    memset(to + width, 0, (LSTM_BLOCK - width) * sizeof(float));
}

/* Packs one block of columns, all k. stride is the stride of k in the panel. */
static void pack_block(const lstm_matrix *from, bool pairs, const float *source,
                       size_t width, float *to, size_t stride)
{
    size_t step = pairs ? 2 : 1;
    for (size_t s = 0; s < from->k_segments; s++)
        for (size_t k = 0; k < from->k_channels; k += step, to += stride) {
            bool second = pairs && k + 1 < from->k_channels;
            if (pairs)
                pack_pairs(source, second ? source + from->k_stride : NULL,
                           from->column_stride, width, to);
            else
                pack_values(source, from->column_stride, width, to);
            source += (second ? 2 : 1) * from->k_stride;
        }
}

/* The address of a block of columns, and its width without padding. */
static const float *block_source(const lstm_matrix *from, size_t block, size_t *width)
{
    size_t each = lstm_blocks(from->channels), segment = block / each;
    size_t channel = block % each * LSTM_BLOCK, left = from->channels - channel;
    *width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
    return from->data + (segment * from->channels + channel) * from->column_stride;
}

/* Packs all k of a panel as wide values; see pack_wide_gates(). */
static void pack_wide_panel(const lstm_kernels *kernels, const lstm_matrix *from,
                            size_t block, size_t blocks, float *to)
{
    size_t stride = blocks * LSTM_BLOCK, width;
    for (size_t s = 0; s < from->k_segments; s++)
        for (size_t k = 0; k < from->k_channels; k += WIDE_STEP) {
            size_t left = from->k_channels - k;
            size_t count = left < WIDE_STEP ? left : WIDE_STEP, odd = count % 2;
            for (size_t i = 0; i < blocks; i++) {
                const float *source = block_source(from, block + i, &width) +
                                      (s * from->k_channels + k) * from->k_stride;
                for (size_t j = 0; j < count; j++, source += from->k_stride)
                    pack_values(source, from->column_stride, width,
                                to + (j ^ 1) * stride + i * LSTM_BLOCK);
            }
            if (odd)
                memset(to + (count - 1) * stride, 0, stride * sizeof(float));
            kernels->round((count + odd) * blocks, to);
            to += (count + odd) * stride;
        }
}

void lstm_pack_panel(const lstm_kernels *kernels, const lstm_matrix *from, size_t block,
                     size_t blocks, lstm_packed *to)
{
    if (kernels->wide) {
        pack_wide_panel(kernels, from, block, blocks, (float *)to);
        return;
    }
    for (size_t i = 0; i < blocks; i++) {
        size_t width;
        const float *source = block_source(from, block + i, &width);
        if (kernels->k_pack == LSTM_QUAD)
            pack_lanes(source, from->k_segments, from->k_channels, LSTM_BLOCK, width,
                       to + i * LSTM_BLOCK, blocks * LSTM_BLOCK);
        else
            pack_block(from, kernels->k_pack == 2, source, width,
                       (float *)to + i * LSTM_BLOCK, blocks * LSTM_BLOCK);
    }
}

void lstm_pack_scales(const lstm_matrix *from, size_t block, size_t blocks, float *to)
{
    size_t row = from->k_segments * from->k_channels;
    for (size_t i = 0; i < blocks * LSTM_BLOCK; i++) {
        size_t column = block * LSTM_BLOCK + i;
        *to++ = column < from->channels
                    ? lstm_byte_scale(from->data + column * from->column_stride, row)
                    : 0;
    }
}
