/*
 * Pairs of bfloat16 on vectors; see pairs.h.
 *
 *   v_dot(sum, a, b)    sum + a1 b1, rounded, + a0 b0, rounded
 *
 * is what the instruction VDPBF16PS of AVX512_BF16 computes: two fused multiply-adds,
 * of the upper halves first. Each rounds to nearest and treats denormal operands and
 * results as zeros, in any mode of the thread. Without the instruction, two fused
 * multiply-adds give the same bits if the thread has turned denormal numbers off
 * (core/denormals.h), as all callers do.
 *
 * A set with HAS_PAIR_DOT has its own v_dot(). A set with HAS_PAIR_STORE has its own
 * v_store_pairs().
 */
#ifndef LSTM_KERNELS_SIMD_PAIRS_H
#define LSTM_KERNELS_SIMD_PAIRS_H

#include <stdint.h>
#include <string.h>

#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/kernels/simd.h"

/* The stride of two rows of a block, and the offset of the pairs of rows in them. */
enum { PAIR_STRIDE = 2 * BLOCK, PAIR_OF_ROWS = BLOCK };

/* The offset of the pairs of channels of a row. */
#define PAIR_ROW(row) ((row) / 2 * PAIR_STRIDE + (row) % 2 * (BLOCK / 2))

#if !HAS_PAIR_DOT
INLINE vf v_dot(vf sum, vf a, vf b)
{
    vu upper = (vu){0} + 0xffff0000u;
    sum = v_fma((vf)((vu)a & upper), (vf)((vu)b & upper), sum);
    return v_fma((vf)((vu)a << 16), (vf)((vu)b << 16), sum);
}
#endif

/* Rounds a result of arithmetic without denormal numbers. It is not denormal, so this
 * takes fewer operations than v_round(). NaN stays NaN. */
INLINE vf v_wide(vf x)
{
    vu bits = (vu)x, nan = (vu)(x != x);
    return (vf)(((bits + 0x7fffu + (bits >> 16 & 1u)) | nan) & 0xffff0000u);
}

/* Rounds any number. */
INLINE vf v_wide_any(vf x)
{
    vu tiny = (vu)(((vu)x & 0x7f800000u) == 0);
    return (vf)((vu)v_wide(x) & ~(tiny >> 1));
}

#if !HAS_PAIR_STORE
typedef uint16_t vh __attribute__((vector_size(2 * LANES)));

LSTM_DEFINE_BF16_ROUND(v_round, vu)

/* Stores LANES units, from unit on, of two rows of a block in both forms. */
INLINE void v_store_pairs(float *rows, size_t unit, vf even, vf odd)
{
    vu a = v_round((vu)even), b = v_round((vu)odd);
    vh first = __builtin_convertvector(a >> 16, vh);
    vh second = __builtin_convertvector(b >> 16, vh);
    memcpy((char *)rows + 2 * unit, &first, sizeof(first));
    memcpy((char *)rows + 2 * (unit + BLOCK), &second, sizeof(second));
    v_store(rows + PAIR_OF_ROWS + unit, (vf)(a >> 16 | b));
}
#endif

#endif
