/**
 * @file
 * The table of kernels: the computations that differ between processors.
 *
 * Kernels work on raw arrays and sizes; they do not use tensors or statuses. Each set
 * of kernels is for one instruction set: the same bodies, compiled with its flags, fill
 * a table. The first use of the library chooses the best set that the processor
 * supports. All sets compute each element by the same sequence of operations, so they
 * give the same bits. Plain C does so only in the reproducible mode, which has its own
 * table.
 */
#ifndef LSTM_KERNELS_KERNELS_H
#define LSTM_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/lstm/kernels/gemm.h"

/*
 * Layout of activations. Everything that passes between kernels (x, h, c, gates and
 * their gradients) is blocked. For each time step, the rows of the batch form groups of
 * at most 16. Within a group the layout is [channels / 16][rows of the group][16
 * channels]: a row of a block is one cache line, and products read their left operand
 * in memory order. The recurrent products and the weight gradients read the same memory
 * without packing. The stride is the number of elements from one block to the next: 16
 * times the rows of the group.
 *
 * Channels consist of segments: the four gates of H units each, or the two directions
 * of an input. Each segment starts a new block. The positions of a block past the last
 * channel of its segment are padding and hold finite values.
 *
 * All strides are in elements.
 */
enum { LSTM_BLOCK = 16, LSTM_GROUP_ROWS = 16, LSTM_GATES = 4 };

/** The number of blocks of a segment of channels. */
static inline size_t lstm_blocks(size_t channels)
{
    return (channels + LSTM_BLOCK - 1) / LSTM_BLOCK;
}

/** An element of packed weights: a float32, a pair of bfloat16 (see pairs.h) in a table
 * of bfloat16, or a quad of int8 (see bytes.h) in a table of int8. See pack.h for the
 * layouts. */
typedef union lstm_packed {
    float value;
    uint32_t pair;
    uint8_t quad[4];
} lstm_packed;

/** Cache lines that will be read soon. While a kernel computes, it prefetches some of
 * them and advances address. */
typedef struct lstm_prefetch {
    const float *address;
    size_t lines;
} lstm_prefetch;

/** A blocked matrix, from the first row of a group: the left operand of a product. */
typedef struct lstm_operand {
    const float *data;
    size_t segments, channels;
} lstm_operand;

/** The parts of a step of the cell. With few rows the weights are read for longer than
 * they are used: the sums of the inputs of many steps then come first, and each step
 * reads only the weights of h. The sums are the same chains. */
typedef enum lstm_cell_part {
    LSTM_CELL_WHOLE,
    /** gates = bias + x W_ih^T and nothing else. */
    LSTM_CELL_INPUTS,
    /** The rest of the step; gates has the sums of the inputs. */
    LSTM_CELL_STATE
} lstm_cell_part;

/**
 * One step of the cell: one block of 16 hidden units, rows of one group.
 *
 *     gates = bias + x W_ih^T + h W_hh^T, then the equations of the cell in layer.h
 */
typedef struct lstm_cell {
    /** LSTM_CELL_WHOLE in a table of int8. */
    lstm_cell_part part;
    size_t rows, stride;
    /** Input, and the previous hidden state (data NULL: zeros). */
    lstm_operand x, h;
    /** The panel of this block: the channels of x, then those of h. */
    const lstm_packed *weights;
    /** [4][16]. */
    const float *bias;
    /** [4][16] scales of the rows of W_ih and W_hh in a table of int8; else unused. */
    const float *x_scales, *h_scales;
    /** Previous cell state; NULL for zeros. May be the same as c. */
    const float *c_before;
    float *c;
    /** o tanh(c). */
    float *h_out;
    /** For backward: gates i, f, g, o with gate_stride between them, and tanh(c). Both
     * are NULL in evaluation. */
    float *gates, *tanh_c;
    size_t gate_stride;
    /** A block to prefetch; NULL for none. */
    const float *prefetch;
} lstm_cell;

/**
 * One step of the cell for a single row and some hidden units, rounded up to whole
 * vectors. The blocks of a single row are contiguous, so x and h are plain arrays of
 * channels.
 */
typedef struct lstm_cell_row {
    size_t inputs, state, units;
    /** [inputs], and [state] of the previous step; h NULL for zeros. */
    const float *x, *h;
    /** Panels, biases and scales of all blocks, as in lstm_cell. */
    const lstm_packed *weights;
    const float *bias, *x_scales, *h_scales;
    /** [units / 16][4][16] the result of lstm_cell_inputs, which replaces x and bias;
     * or NULL.
     */
    const float *sums;
    /** [units], as in lstm_cell. */
    const float *c_before;
    float *c, *h_out;
} lstm_cell_row;

/**
 * Computes the part of many steps of lstm_cell_row that does not depend on h: bias + x
 * W_ih^T. It reads the weights of x from memory once, not once per step.
 */
typedef struct lstm_cell_inputs {
    size_t steps, inputs, state, units;
    /** [steps][inputs]. */
    const float *x;
    size_t x_stride;
    const lstm_packed *weights;
    const float *bias, *x_scales;
    /** [steps][units / 16][4][16]. */
    float *sums;
    size_t sums_stride;
} lstm_cell_inputs;

/** y = x W^T + b for a single row. Sums have the order and rounding of gemm.h. */
typedef struct lstm_linear_row {
    size_t inputs, outputs;
    const float *x;
    /** [inputs][blocks of outputs * 16] and [blocks of outputs * 16], the padding zero.
     * y has the same padding, which may be written. */
    const float *weights, *bias;
    float *y;
} lstm_linear_row;

/** Channels of a part of a product, whole blocks. */
enum { LSTM_PART_CHANNELS = 256 };

/** Rows of a group times a packed matrix: out = a W, or out += a W. */
typedef struct lstm_panel_product {
    size_t rows, stride;
    lstm_operand a;
    const lstm_packed *weights;
    /** Blocks of the panel, at most product_blocks of the table. */
    size_t blocks;
    /** [blocks * 16] scales of the columns in a table of int8; else unused. */
    const float *scales;
    float *out;
    /** Not in a table of int8, and neither are parts and prefetch. */
    bool accumulate;
    /** Sums each part of LSTM_PART_CHANNELS channels of a segment alone, and then adds
     * the sums in order, so that long sums lose fewer digits. */
    bool parts;
    /** Lines to prefetch into the second-level cache; NULL for none. */
    lstm_prefetch *prefetch;
} lstm_panel_product;

/**
 * Backward of one step of the cell: one block of 16 units, rows of one group.
 *
 *     dc += dh o (1 - tanh(c)^2)
 *     di = dc g i (1 - i)      df = dc c_before f (1 - f)
 *     dg = dc i (1 - g^2)      do = dh tanh(c) o (1 - o)      dc = dc f
 */
typedef struct lstm_cell_gradient {
    size_t rows, stride;
    /** The gates on entry, their gradients on exit. */
    float *gates;
    size_t gate_stride;
    const float *tanh_c;
    /** NULL for zeros. */
    const float *c_before;
    /** Gradients of h: from the next step, and of the output. Each NULL for zeros. */
    const float *dh, *dy;
    float *dc;
} lstm_cell_gradient;

/**
 * A tile of a weight gradient, 16 rows by outer_blocks of the table: the sum of a^T b
 * over steps, then over the rows of the batch, in that order.
 */
typedef struct lstm_outer {
    size_t steps;
    /** [steps] active rows of the batch in each step. */
    const size_t *rows;
    /** Rows of a full group, and the stride of its blocks. */
    size_t group_rows, stride;
    /** A block of a and the first block of a panel of b; strides between steps and
     * between groups. */
    const float *a, *b;
    size_t a_step_stride, a_group_stride, b_step_stride, b_group_stride;
    /** Rows of the tile to compute, at most 16. */
    size_t tile_rows;
    size_t blocks;
    /** [16][blocks * 16]; initialised with zeros when first. The next tile follows. */
    float *tile;
    bool first;
    /** Offset from a of a block to prefetch; 0 for none. */
    size_t prefetch;
} lstm_outer;

/** Coefficients of one Adam step, rounded to float32 as PyTorch does; see
 * vector_body.c.
 */
typedef struct lstm_adam_coefficients {
    /** 1 - beta1, beta2, 1 - beta2. */
    float one_minus_beta1, beta2, one_minus_beta2;
    /** lr / (1 - beta1^t), and 1 / sqrt(1 - beta2^t). */
    float step_size, root_factor;
    float eps;
    /** Weight decay: decay * p is added to the gradient. 0 without decay and with
     * AdamW. */
    float decay;
    /** Factor of p before the step: 1 - lr * weight_decay with AdamW, else 1. */
    float shrink;
    /** 1, or -1 to maximise. */
    float sign;
} lstm_adam_coefficients;

/**
 * A table of kernels. A set has tables for float32, bfloat16 and int8. In the table of
 * bfloat16, packed weights, a, b, x, h, u and the gradients of the gates
 * are pairs (see pairs.h) in the memory of float32 values. All other values are
 * float32. This table has the kernels up to round, except cell_inputs and
 * linear_row; the other pointers are NULL. If it has a table for training, it has only
 * the kernels of inference, and the table for training, whose operands are wide values,
 * those of training. The table of int8 has float32 activations
 * and the kernels of inference: cell, product, cell_row and cell_inputs.
 */
typedef struct lstm_kernels {
    const char *name;

    /** Channels in one position of k of packed weights: 1, 2 for pairs, 4 for quads. */
    size_t k_pack;
    /** Whether operands are wide values; the packed depth of a segment is then even. */
    bool wide;
    /** Number of contiguous units of a gate in a panel of the cell. */
    size_t cell_units;
    /** Blocks of a panel of product() and of a tile of outer(). */
    size_t product_blocks, outer_blocks;

    void (*cell)(const lstm_cell *job);
    void (*cell_gradient)(const lstm_cell_gradient *job);
    void (*product)(const lstm_panel_product *job);
    void (*cell_row)(const lstm_cell_row *job);
    void (*cell_inputs)(const lstm_cell_inputs *job);
    void (*linear_row)(const lstm_linear_row *job);
    void (*outer)(const lstm_outer *job);
    /** The bias gradient: sums[16] += a summed over steps and rows, or = when first. It
     * does not read b. */
    void (*outer_bias)(const lstm_outer *job, float *sums);
    /** Rounds rows of a block to operands in place: to pairs, or to wide values; the
     * index of the first row is even, and after an odd number of rows the next one
     * becomes a missing row. NULL in other tables than those of bfloat16. */
    void (*round)(size_t rows, float *block);
    /** In the table of bfloat16, the table for training, with the same results; NULL if
     * it is the same table. */
    const struct lstm_kernels *training;

    /** y = f(x) for count values; x and y may be the same. */
    void (*exp)(size_t count, const float *x, float *y);
    void (*sigmoid)(size_t count, const float *x, float *y);
    void (*tanh)(size_t count, const float *x, float *y);

    /** One Adam step of count values: updates p, m, v and largest. With largest, the
     *  running maximum of v replaces v in the step (AMSGrad); NULL for plain Adam. */
    void (*adam_step)(size_t count, float *p, float *m, float *v, float *largest,
                      const float *g, const lstm_adam_coefficients *coefficients);
    /** Sum of squares in double, in the same order in every set. */
    double (*sum_squares)(size_t count, const float *x);
    /** x *= factor. */
    void (*scale)(size_t count, float *x, float factor);
    /** A product of matrices on the calling thread; see gemm.h. */
    void (*gemm)(const lstm_product *product);
} lstm_kernels;

/** The table of float32 in use; the first call chooses the set. */
const lstm_kernels *lstm_kernels_get(void);

/** The tables of bfloat16 and of int8 in use. */
const lstm_kernels *lstm_bf16_kernels_get(void);
const lstm_kernels *lstm_int8_kernels_get(void);

/** The packed depth: number of positions of k for segments of channels. */
static inline size_t lstm_packed_depth(const lstm_kernels *kernels, size_t segments,
                                       size_t channels)
{
    size_t depth = (channels + kernels->k_pack - 1) / kernels->k_pack;
    return segments * (kernels->wide ? depth + depth % 2 : depth);
}

#endif
