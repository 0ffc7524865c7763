/**
 * @file
 * The table of kernels: what differs from processor to processor.
 *
 * Kernels know raw float * and sizes, no tensor and no status. Each instruction set has
 * a table, filled from the same bodies compiled with its flags; the best one that the
 * machine can run is chosen once. All sets compute every element by the same chain of
 * operations, so they give the same bits; plain C does in the reproducible mode, in
 * which its table is another one.
 */
#ifndef LSTM_KERNELS_KERNELS_H
#define LSTM_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/lstm/kernels/gemm.h"

/*
 * Layout of activations. What passes between kernels (x, h, c, gates, their gradients)
 * is blocked: for each time step, rows of the batch in groups of at most 16, and within
 * a group [channels / 16][rows of the group][16 channels] so that a row of a block is
 * one cache line, a product reads its left operand in memory order, and the same memory
 * feeds the recurrent products and the weight gradients without packing. The distance
 * between blocks is the stride, 16 times the rows of the group. Channels come in
 * segments: the four gates of H units each, or the two directions of an input. Each
 * segment starts a new block; lanes beyond its channels are padding, which holds finite
 * numbers.
 */
enum { LSTM_BLOCK = 16, LSTM_GROUP_ROWS = 16, LSTM_GATES = 4 };

/** Blocks that a number of channels takes. */
static inline size_t lstm_blocks(size_t channels)
{
    return (channels + LSTM_BLOCK - 1) / LSTM_BLOCK;
}

/** Lines of memory that are read soon: a kernel that is given some asks for them while
 * it computes, a few at a time, and moves on past those it has asked for. */
typedef struct lstm_ahead {
    const float *at;
    size_t lines;
} lstm_ahead;

/** A blocked matrix, seen from the first row of a group: what products read. */
typedef struct lstm_operand {
    const float *data;
    size_t segments, channels;
} lstm_operand;

/**
 * One step of the cell: one block of 16 hidden units for rows of a group.
 *
 *     gates = bias + x W_ih^T + h W_hh^T, then the cell of layer.h
 */
typedef struct lstm_cell {
    size_t rows, stride;
    /** Input, and the hidden state before (data NULL: zeros). */
    lstm_operand x, h;
    /** Packed weights of this block: those of the channels of x, then of h. */
    const float *weights;
    /** [4][16]. */
    const float *bias;
    /** Cell state before; NULL for zeros. May be the same as c. */
    const float *c_before;
    float *c;
    /** o tanh(c). */
    float *h_out;
    /** What backward needs: gates i, f, g, o with gate_stride between them, and
     * tanh(c). Both NULL when nothing is kept. */
    float *gates, *tanh_c;
    size_t gate_stride;
    /** A block that is read soon, to be brought into a cache; NULL for none. */
    const float *ahead;
} lstm_cell;

/**
 * One step of the cell for a single row: all blocks of hidden units. Blocks of a single
 * row lie one after the other, so that x and h are plain arrays of their channels.
 */
typedef struct lstm_cell_row {
    size_t inputs, state, blocks;
    /** [inputs], and [state] of the step before; h NULL for zeros. */
    const float *x, *h;
    /** Panels and biases of all blocks, as those of lstm_cell. */
    const float *weights, *bias;
    /** [blocks][4][16] bias and products of x, when they have been computed: then x and
     * bias are not read. NULL when not. */
    const float *sums;
    /** [blocks][16] as in lstm_cell. */
    const float *c_before;
    float *c, *h_out;
} lstm_cell_row;

/**
 * What many steps of lstm_cell_row have to do before they need h, at once: reads the
 * weights of x from memory once instead of once a step.
 */
typedef struct lstm_cell_inputs {
    size_t steps, inputs, state, blocks;
    /** [steps][inputs], so far apart. */
    const float *x;
    size_t x_step;
    const float *weights, *bias;
    /** [steps][blocks][4][16], so far apart. */
    float *sums;
    size_t sums_step;
} lstm_cell_inputs;

/** y = x W^T + b for a single row, its sums in the order and rounding of gemm.h. */
typedef struct lstm_linear_row {
    size_t inputs, blocks;
    const float *x;
    /** [inputs][blocks * 16] and [blocks * 16], the padding zero. */
    const float *weights, *bias;
    float *y;
} lstm_linear_row;

/** Rows of a group times a packed matrix: out = a W, or out += a W. */
typedef struct lstm_panel_product {
    size_t rows, stride;
    lstm_operand a;
    /** One packed panel. */
    const float *weights;
    /** Blocks of the panel, at most product_blocks of the table. */
    size_t blocks;
    float *out;
    bool accumulate;
    /** To be brought into the second level cache; NULL for none. */
    lstm_ahead *ahead;
} lstm_panel_product;

/**
 * Gradients of one block of 16 units through one step of the cell, for rows of a group.
 *
 *     dc += dh o (1 - tanh(c)^2)
 *     di = dc g i (1 - i)      df = dc c_before f (1 - f)
 *     dg = dc i (1 - g^2)      do = dh tanh(c) o (1 - o)      dc = dc f
 */
typedef struct lstm_cell_gradient {
    size_t rows, stride;
    /** On entry the gates, on exit their gradients. */
    float *gates;
    size_t gate_stride;
    const float *tanh_c;
    /** NULL for zeros. */
    const float *c_before;
    /** Gradient of h from the step after, and from outside; each NULL for zeros. */
    const float *dh, *dy;
    float *dc;
} lstm_cell_gradient;

/**
 * A tile of a weight gradient, 16 rows by outer_blocks of the table: the sum over steps
 * and rows of the batch of a^T b, in that order.
 */
typedef struct lstm_outer {
    size_t steps;
    /** [steps] rows of the batch that count in each step. */
    const size_t *rows;
    /** Rows of a full group, and its stride. */
    size_t group_rows, stride;
    /** A block of a and the first of a panel of b; distances between steps and groups.
     */
    const float *a, *b;
    size_t a_step, a_group, b_step, b_group;
    /** Rows of the tile that are wanted, at most 16. */
    size_t wanted;
    size_t blocks;
    /** [16][blocks * 16]; taken as zeros when first. The next one follows it. */
    float *tile;
    bool first;
    /** Distance from a to a block that is read soon, to be brought into a cache; 0 for
     * none. */
    size_t ahead;
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
    /** Added to the gradient as decay * p; 0 when decoupled or none. */
    float decay;
    /** What p is multiplied with first: 1 - lr * weight_decay when decoupled, else 1.
     */
    float shrink;
    /** 1, or -1 to climb instead of to descend. */
    float sign;
} lstm_adam_coefficients;

/**
 * A set has two tables. That of bfloat16 does what layers and streams need (up to
 * outer_bias, and to_pairs) with operands in pairs, see pairs.h; the other pointers are
 * NULL there. In it a, b, x, h, u and the gates' gradients are pairs, and so are the
 * weights; jobs are the same otherwise, and pointers are to the same places.
 */
typedef struct lstm_kernels {
    const char *name;

    /** Channels in a line of a panel of weights: 1, or 2 for pairs. */
    size_t k_step;
    /** Units of a gate that a panel of the cell's weights holds together. */
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
    /** sums[16] += sum over steps and rows of a, the bias gradient, or = when first; b
     * is not looked at. */
    void (*outer_bias)(const lstm_outer *job, float *sums);
    /** Rounds rows of a block, the first of them even, to pairs in place. NULL in the
     *  table of float32. */
    void (*to_pairs)(size_t rows, float *block);

    /** y = f(x) for count values; x and y may be the same. */
    void (*exp)(size_t count, const float *x, float *y);
    void (*sigmoid)(size_t count, const float *x, float *y);
    void (*tanh)(size_t count, const float *x, float *y);

    /** One Adam step of count values: p, m, v and largest change, g does not. With
     *  largest, the largest v so far takes the place of v; NULL for v itself. */
    void (*adam_step)(size_t count, float *p, float *m, float *v, float *largest,
                      const float *g, const lstm_adam_coefficients *coefficients);
    /** Sum of squares in double, in an order that is the same in every set. */
    double (*sum_squares)(size_t count, const float *x);
    /** x *= factor. */
    void (*scale)(size_t count, float *x, float factor);
    /** A product of matrices on the calling thread; see gemm.h. */
    void (*gemm)(const lstm_product *product);
} lstm_kernels;

/** The set in use; chosen at the first call. */
const lstm_kernels *lstm_kernels_get(void);

/** Its table of bfloat16. */
const lstm_kernels *lstm_bf16_kernels_get(void);

/** Lines of a panel that segments of channels take. */
static inline size_t lstm_lines(const lstm_kernels *kernels, size_t segments,
                                size_t channels)
{
    return segments * ((channels + kernels->k_step - 1) / kernels->k_step);
}

#endif
