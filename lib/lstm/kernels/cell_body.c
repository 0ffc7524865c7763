/*
 * The LSTM cell, forward and backward, fused.
 *
 * Forward accumulates the products of x and h with the weights of all four gates of the
 * same hidden units together. When the sums of all rows of a group are complete, it
 * computes the gates, the cell state and the output. The pre-activations stay in the
 * first-level cache. See pack.h for the panel of weights.
 *
 * With bfloat16 the operands of the products, h and the gradients of the gates are
 * pairs or wide values (see pairs.h). Sums, biases, gates, cell states and everything
 * element-wise are float32.
 */
#include "lib/lstm/kernels/body.h"
#include "lib/lstm/kernels/cell.h"
#include "lib/lstm/kernels/simd_pairs.h"
#include "lib/lstm/kernels/tile.h"

/* Prefetches the cache lines that a row of a tile will write. They arrive from the
 * third-level cache while the products are computed. */
INLINE void cell_prefetch(const lstm_cell *job, size_t offset)
{
    if (job->gates)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            PREFETCH_WRITE(job->gates + q * job->gate_stride + offset);
    if (job->tanh_c)
        PREFETCH_WRITE(job->tanh_c + offset);
    PREFETCH_WRITE(job->c + offset);
    PREFETCH_WRITE(job->h_out + offset);
    if (job->prefetch)
        PREFETCH(job->prefetch + offset);
}

INLINE size_t input_depth(const lstm_cell *job, int form)
{
    return job->x.segments * packed_depth(job->x.channels, form);
}

/* Computes the sums of rows row to row + rows - 1, for LANES units of the block from
 * unit on. */
INLINE void cell_tile(const lstm_cell *job, const float *weights, size_t unit,
                      size_t row, size_t rows, vf (*sums)[LSTM_GATES], int form)
{
    vf acc[CELL_ROWS * LSTM_GATES];
    bool rest = job->part == LSTM_CELL_STATE;
    const float *from = rest ? job->gates + row * BLOCK : job->bias;
    size_t gate_stride = rest ? job->gate_stride : BLOCK, row_stride = rest ? BLOCK : 0;
    UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
        UNROLL for (size_t r = 0; r < rows; r++) acc[r * LSTM_GATES + q] =
            v_load(from + q * gate_stride + r * row_stride + unit);
    bool prefetch = unit == 0 && job->part != LSTM_CELL_INPUTS;
    UNROLL for (size_t r = 0; r < rows; r++) if (prefetch)
        cell_prefetch(job, (row + r) * BLOCK);
    if (rest)
        weights += input_depth(job, form) * LSTM_GATES * LANES;
    else
        weights = multiply(acc, rows, LSTM_GATES, job->x, row, job->stride, weights,
                           NULL, form);
    if (job->h.data && job->part != LSTM_CELL_INPUTS)
        multiply(acc, rows, LSTM_GATES, job->h, row, job->stride, weights, NULL, form);
    UNROLL for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) sums[row + r][q] =
            acc[r * LSTM_GATES + q];
}

/* h of one row. */
INLINE vf cell_row_output(const lstm_cell *job, size_t row, size_t unit, vf o)
{
    size_t offset = row * BLOCK + unit;
    return cell_output(job, offset, v_load(job->c + offset), o);
}

INLINE void cell_outputs(const lstm_cell *job, size_t unit, vf (*sums)[LSTM_GATES],
                         int form)
{
    if (form != PAIRS) {
        for (size_t row = 0; row < job->rows; row++) {
            vf h = cell_row_output(job, row, unit, sums[row][3]);
            v_store(job->h_out + row * BLOCK + unit, form == WIDE ? v_wide(h) : h);
        }
        if (form == WIDE && job->rows % 2)
            v_store(job->h_out + job->rows * BLOCK + unit, v_zero());
        return;
    }
    for (size_t row = 0; row < job->rows; row += 2) {
        vf even = cell_row_output(job, row, unit, sums[row][3]), odd = v_zero();
        if (row + 1 < job->rows)
            odd = cell_row_output(job, row + 1, unit, sums[row + 1][3]);
        v_store_pairs(job->h_out + row * BLOCK, unit, even, odd);
    }
}

/* Stores the sums in the place of the gates. */
INLINE void keep_sums(const lstm_cell *job, size_t unit, vf (*sums)[LSTM_GATES])
{
    for (size_t row = 0; row < job->rows; row++)
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++) v_store(
            job->gates + q * job->gate_stride + row * BLOCK + unit, sums[row][q]);
}

INLINE void step_cell(const lstm_cell *job, int form)
{
    size_t k =
        input_depth(job, form) + job->h.segments * packed_depth(job->h.channels, form);
    const float *weights = (const float *)job->weights;
    vf sums[LSTM_GROUP_ROWS][LSTM_GATES];
    for (size_t unit = 0; unit < BLOCK;
         unit += LANES, weights += k * LSTM_GATES * LANES) {
#define TILE(n) cell_tile(job, weights, unit, row, n, sums, form)
        if (form == PAIRS)
            FOR_TILES(job->rows, CELL_ROWS / 2 * 2, 2, TILE)
        else
            FOR_TILES(job->rows, CELL_ROWS, 1, TILE)
#undef TILE
        if (job->part == LSTM_CELL_INPUTS) {
            keep_sums(job, unit, sums);
            continue;
        }
        /* First c of all rows, then h: within a row tanh(c) depends on c, but rows are
         * independent. For 16 rows with AVX2 this takes 0.38 us instead of 0.48,
         * because the out-of-order window holds fewer rows than with AVX-512. */
        for (size_t row = 0; row < job->rows; row++)
            cell_state(job, row * BLOCK + unit, sums[row]);
        cell_outputs(job, unit, sums, form);
    }
}

#if KERNEL_TABLES & FLOATS
static void BODY(cell)(const lstm_cell *job)
{
    step_cell(job, FLOATS);
}
#endif

#if KERNEL_TABLES & PAIRS
static void BODY(pair_cell)(const lstm_cell *job)
{
    step_cell(job, PAIRS);
}
#endif

#if KERNEL_TABLES & WIDE
static void BODY(wide_cell)(const lstm_cell *job)
{
    step_cell(job, WIDE);
}
#endif

/* Backward ----------------------------------------------------------------------------
 */

/* Computes the gradients d of the four gates at an offset, and updates dc. */
INLINE void cell_differentiate(const lstm_cell_gradient *job, size_t offset, vf *d)
{
    const float *gates = job->gates + offset;
    vf i = v_load(gates), f = v_load(gates + job->gate_stride);
    vf g = v_load(gates + 2 * job->gate_stride);
    vf o = v_load(gates + 3 * job->gate_stride);
    vf t = v_load(job->tanh_c + offset);
    vf before = job->c_before ? v_load(job->c_before + offset) : v_zero();
    vf dh = job->dh ? v_load(job->dh + offset) : v_zero();
    if (job->dy)
        dh = dh + v_load(job->dy + offset);
    vf dc = v_fma(dh * o, v_fma(-t, t, v_splat(1.0f)), v_load(job->dc + offset));
    d[0] = (dc * g) * (i * (1.0f - i));
    d[1] = (dc * before) * (f * (1.0f - f));
    d[2] = (dc * i) * v_fma(-g, g, v_splat(1.0f));
    d[3] = (dh * t) * (o * (1.0f - o));
    v_store(job->dc + offset, dc * f);
}

#if KERNEL_TABLES & WIDE
/* A missing row of a pair. */
INLINE void zero_row(float *row)
{
    UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
        v_store(row + v * LANES, v_zero());
}
#endif

/* Computes the gradients of the gates of all rows, in place. */
INLINE void step_gradient(const lstm_cell_gradient *job, int form)
{
    for (size_t offset = 0; offset < job->rows * BLOCK; offset += LANES) {
        vf d[LSTM_GATES];
        cell_differentiate(job, offset, d);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            v_store(job->gates + q * job->gate_stride + offset,
                    form == WIDE ? v_wide(d[q]) : d[q]);
    }
}

#if KERNEL_TABLES & FLOATS
static void BODY(cell_gradient)(const lstm_cell_gradient *job)
{
    step_gradient(job, FLOATS);
}
#endif

#if KERNEL_TABLES & WIDE
static void BODY(wide_cell_gradient)(const lstm_cell_gradient *job)
{
    step_gradient(job, WIDE);
    for (size_t q = 0; job->rows % 2 && q < LSTM_GATES; q++)
        zero_row(job->gates + q * job->gate_stride + job->rows * BLOCK);
}

static void BODY(to_wide)(size_t rows, float *block)
{
    for (size_t offset = 0; offset < rows * BLOCK; offset += LANES)
        v_store(block + offset, v_wide_any(v_load(block + offset)));
    if (rows % 2)
        zero_row(block + rows * BLOCK);
}
#elif KERNEL_TABLES & PAIRS
/* Processes two rows at a time, because pairs overwrite the gates of both rows. */
static void BODY(pair_cell_gradient)(const lstm_cell_gradient *job)
{
    for (size_t row = 0; row < job->rows; row += 2) {
        vf d[2][BLOCK_VECTORS][LSTM_GATES] = {{{{0}}}};
        size_t rows = job->rows - row < 2 ? 1 : 2;
        for (size_t r = 0; r < rows; r++)
            UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                cell_differentiate(job, (row + r) * BLOCK + v * LANES, d[r][v]);
        UNROLL for (size_t q = 0; q < LSTM_GATES; q++)
            UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
                v_store_pairs(job->gates + q * job->gate_stride + row * BLOCK,
                              v * LANES, d[0][v][q], d[1][v][q]);
    }
}

#endif

#if KERNEL_TABLES & PAIRS
static void BODY(to_pairs)(size_t rows, float *block)
{
    for (size_t row = 0; row < rows; row += 2, block += PAIR_STRIDE) {
        vf even[BLOCK_VECTORS], odd[BLOCK_VECTORS];
        UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
        {
            even[v] = v_load(block + v * LANES);
            odd[v] = row + 1 < rows ? v_load(block + BLOCK + v * LANES) : v_zero();
        }
        UNROLL for (size_t v = 0; v < BLOCK_VECTORS; v++)
            v_store_pairs(block, v * LANES, even[v], odd[v]);
    }
}
#endif
