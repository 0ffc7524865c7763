/*
 * exp, sigmoid and tanh on vectors.
 *
 * All three use one range reduction: x log2(e) = n + r, where n is a multiple of 1/8
 * and |r| <= 1/16. A table of eight values and the exponent give s = 2^n. A polynomial
 * of degree 3 without a constant term gives 2^r - 1 = q(r). It is minimax for the
 * relative error of q, 8.5e-7, which is 3.7e-8 of 2^r:
 *
 *     exp(x) = s q + s
 *     sigmoid(x) = 1 / (s q + (s + 1)), of -x
 *     tanh(x) = m / (m + 2), m = s q + (s - 1), of 2x
 *
 * s - 1 is 0 at 0, so tanh keeps its relative accuracy there. A vector of AVX2 holds
 * eight values, so a lookup is one instruction; with a polynomial of degree 6 instead
 * of the table, the element-wise part of the cell would be 39% slower. Adding 1.5 2^20
 * rounds to n. The functions divide, because estimates of reciprocals differ between
 * processors. NaN gives NaN.
 */
#ifndef LSTM_KERNELS_ACTIVATION_H
#define LSTM_KERNELS_ACTIVATION_H

#include <stdint.h>

#include "lib/lstm/kernels/simd.h"

/* Largest |x| whose exponential and its reciprocal are both normal floats: 126 ln 2. */
#define EXP_LIMIT 87.3365f

#define LOG2E 0x1.715476p+0f
/* log2(e) - LOG2E, which matters for the relative error of large results. */
#define LOG2E_REST 0x1.4ae0c0p-26f

/* The bits of 2^(i/8) for i from 0 to 7, twice, minus i at the bit of 1/8, so that
 * adding n at that bit gives s. */
static const _Alignas(64) uint32_t exp_table[16] = {
    0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7, 0x3f7504f3, 0x3f75672a,
    0x3f7744fd, 0x3f7ac0c7, 0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7,
    0x3f7504f3, 0x3f75672a, 0x3f7744fd, 0x3f7ac0c7};

/* Computes s and r of x; log2e + rest is log2(e) or a multiple of it, and |x log2e| <=
 * 126. */
INLINE void v_reduce(vf x, float log2e, float rest, vf *s, vf *r)
{
    const float magic = 1572864.0f; /* 1.5 2^20: its last bit is worth 1/8 */
    vf shifted = v_fma(x, v_splat(log2e), v_splat(magic));
    *r = v_fma(x, v_splat(log2e), magic - shifted);
    if (rest != 0)
        *r = v_fma(x, v_splat(rest), *r);
    *s = (vf)(v_lookup(exp_table, shifted) + ((vu)shifted << 20));
}

/* q(r) / r. */
INLINE vf v_polynomial(vf r)
{
    vf p = v_fma(r, v_splat(0x1.c6b39ep-5f), v_splat(0x1.ec0aa0p-3f));
    return v_fma(p, r, v_splat(0x1.62e430p-1f));
}

INLINE vf v_sigmoid(vf x)
{
    vf s, r;
    x = v_max(v_splat(-EXP_LIMIT), v_min(v_splat(EXP_LIMIT), x));
    v_reduce(x, -LOG2E, 0, &s, &r);
    vf power = v_fma(v_polynomial(r), r, v_splat(1.0f));
    return 1.0f / v_fma(power, s, v_splat(1.0f));
}

INLINE vf v_tanh(vf x)
{
    const vi sign = (vi)v_splat(-0.0f);
    vf s, r;
    /* tanh(10) is 1 in float32. The limit also keeps m + 2 from overflowing. */
    v_reduce(v_min(v_splat(10.0f), (vf)((vi)x & ~sign)), 2 * LOG2E, 0, &s, &r);
    vf m = v_fma(s, v_polynomial(r) * r, s - 1.0f);
    return (vf)((vi)(m / (m + 2.0f)) | ((vi)x & sign));
}

INLINE vf v_exp_within(vf x)
{
    vf s, r;
    v_reduce(x, LOG2E, LOG2E_REST, &s, &r);
    return v_fma(v_polynomial(r), r, v_splat(1.0f)) * s;
}

/* Infinite above 88.72, zero below -87.33: no result is denormal. */
INLINE vf v_exp(vf x)
{
    vf e = v_exp_within(v_max(v_splat(-EXP_LIMIT), v_min(v_splat(88.0f), x)));
    /* Up to the largest float: exp(x) = exp(88) exp(x - 88). */
    vf rest = v_max(v_splat(0.0f), x - 88.0f);
    e = e * v_exp_within(v_min(v_splat(2.0f), rest));
    vi under = x < -EXP_LIMIT;
    return (vf)(~under & (vi)e);
}

#endif
