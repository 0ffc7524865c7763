/*
 * Defines the tables of one instruction set. Its source defines KERNEL_SET, the name of
 * the set, such as avx2; KERNEL_SIMD, the header with its vectors; KERNEL_NAME, the
 * name for users, if it differs from that of the set; KERNEL_TABLES, FLOATS, PAIRS and
 * BYTES or some of them, if it does not have all tables. It includes this file, which
 * compiles all bodies with the flags of that source.
 */
#include "lib/lstm/kernels/body.h"

#if KERNEL_TABLES & FLOATS
#include "lib/lstm/kernels/activation_body.c"

#include "lib/lstm/kernels/gemm_body.c"

#include "lib/lstm/kernels/vector_body.c"
#endif

#include "lib/lstm/kernels/cell_body.c"

#include "lib/lstm/kernels/outer_body.c"

#include "lib/lstm/kernels/product_body.c"

#include "lib/lstm/kernels/stream_body.c"

#include "lib/lstm/kernels/bytes_body.c"

#define KERNEL_TEXT2(a) #a
#define KERNEL_TEXT(a)  KERNEL_TEXT2(a)
#ifndef KERNEL_NAME
#define KERNEL_NAME KERNEL_TEXT(KERNEL_SET)
#endif

#if KERNEL_TABLES & WIDE
static const lstm_kernels wide_kernels = {
    .name = KERNEL_NAME,
    .k_pack = 1,
    .wide = true,
    .cell_units = LANES,
    .product_blocks = PRODUCT_VECTORS / BLOCK_VECTORS,
    .outer_blocks = OUTER_BLOCKS,
    .cell = BODY(wide_cell),
    .cell_gradient = BODY(wide_cell_gradient),
    .product = BODY(wide_product),
    .outer = BODY(wide_outer),
    .outer_bias = BODY(wide_outer_bias),
    .round = BODY(to_wide),
};
#endif

#if KERNEL_TABLES & PAIRS
extern const lstm_kernels KERNEL_JOIN(lstm_bf16_kernels, KERNEL_SET);
const lstm_kernels KERNEL_JOIN(lstm_bf16_kernels, KERNEL_SET) = {
    .name = KERNEL_NAME,
    .k_pack = 2,
    .cell_units = LANES,
    .product_blocks = PRODUCT_VECTORS / BLOCK_VECTORS,
    .outer_blocks = OUTER_BLOCKS,
    .cell = BODY(pair_cell),
    .product = BODY(pair_product),
    .cell_row = BODY(pair_cell_row),
    .round = BODY(to_pairs),
#if KERNEL_TABLES & WIDE
    .training = &wide_kernels,
#else
    .cell_gradient = BODY(pair_cell_gradient),
    .outer = BODY(pair_outer),
    .outer_bias = BODY(pair_outer_bias),
#endif
};
#endif

#if KERNEL_TABLES & BYTES
extern const lstm_kernels KERNEL_JOIN(lstm_int8_kernels, KERNEL_SET);
const lstm_kernels KERNEL_JOIN(lstm_int8_kernels, KERNEL_SET) = {
    .name = KERNEL_NAME,
    .k_pack = LSTM_QUAD,
    .cell_units = LANES,
    .product_blocks = PRODUCT_VECTORS / BLOCK_VECTORS,
    .cell = BODY(byte_cell),
    .product = BODY(byte_product),
    .cell_row = BODY(byte_cell_row),
    .cell_inputs = BODY(byte_cell_inputs),
};
#endif

#if KERNEL_TABLES & FLOATS
extern const lstm_kernels KERNEL_JOIN(lstm_kernels, KERNEL_SET);
const lstm_kernels KERNEL_JOIN(lstm_kernels, KERNEL_SET) = {
    .name = KERNEL_NAME,
    .k_pack = 1,
    .cell_units = LANES,
    .product_blocks = PRODUCT_VECTORS / BLOCK_VECTORS,
    .outer_blocks = OUTER_BLOCKS,
    .cell = BODY(cell),
    .cell_gradient = BODY(cell_gradient),
    .product = BODY(product),
    .cell_row = BODY(cell_row),
    .cell_inputs = BODY(cell_inputs),
    .linear_row = BODY(linear_row),
    .outer = BODY(outer),
    .outer_bias = BODY(outer_bias),
    .exp = BODY(exp),
    .sigmoid = BODY(sigmoid),
    .tanh = BODY(tanh),
    .adam_step = BODY(adam_step),
    .sum_squares = BODY(sum_squares),
    .scale = BODY(scale),
    .gemm = BODY(gemm),
};
#endif
