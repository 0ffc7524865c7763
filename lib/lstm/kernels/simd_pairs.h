/*
 * Pairs of bfloat16 numbers on vectors; see pairs.h.
 *
 *   v_dot(sum, a, b)    sum + a1 b1, rounded, + a0 b0, rounded
 *
 * is what the VDPBF16PS of AVX512_BF16 computes: two fused multiply-adds one after the
 * other, that of the upper halves first, each rounded to the nearest, with denormal
 * operands and results taken as zeros, whatever the rounding and denormal modes of the
 * thread. Without the instruction two fused multiply-adds give the same bits in a
 * thread that has turned denormals off (core/denormals.h), as all callers do.
 */
#ifndef LSTM_KERNELS_SIMD_PAIRS_H
#define LSTM_KERNELS_SIMD_PAIRS_H

#include "lib/lstm/kernels/activation.h"
#include "lib/lstm/kernels/pairs.h"

/* Floats from one pair of rows to the next, and to its pairs of rows. */
enum { PAIR_LINES = 2 * BLOCK, PAIR_ROWS = BLOCK };

/* Where a row starts, its pairs of channels, in floats. */
#define PAIR_ROW(row) ((row) / 2 * PAIR_LINES + (row) % 2 * (BLOCK / 2))

#if !HAS_PAIR_DOT
INLINE vf v_dot(vf sum, vf a, vf b)
{
    vu upper = (vu){0} + 0xffff0000u;
    sum = v_fma((vf)((vu)a & upper), (vf)((vu)b & upper), sum);
    return v_fma((vf)((vu)a << 16), (vf)((vu)b << 16), sum);
}
#endif

#if !HAS_PAIR_STORE
typedef uint16_t vh __attribute__((vector_size(2 * LANES)));

LSTM_DEFINE_BF16_ROUND(v_round, vu)

/* Lanes from unit on of two rows of a block. */
INLINE void v_store_pairs(float *lines, size_t unit, vf even, vf odd)
{
    vu a = v_round((vu)even), b = v_round((vu)odd);
    vh first = __builtin_convertvector(a >> 16, vh);
    vh second = __builtin_convertvector(b >> 16, vh);
    memcpy((char *)lines + 2 * unit, &first, sizeof(first));
    memcpy((char *)lines + 2 * (unit + BLOCK), &second, sizeof(second));
    v_store(lines + PAIR_ROWS + unit, (vf)(a >> 16 | b));
}
#endif

#endif
