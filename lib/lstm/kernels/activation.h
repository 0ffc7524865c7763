/*
 * exp, sigmoid and tanh on vectors.
 *
 * All three come from one reduction: x log2(e) = n + r with n whole and |r| <= 1/2, and
 * 2^r - 1 = q(r), a polynomial of degree 6 without a constant term (minimax for the
 * relative error of q, 1.4e-8, coefficients rounded to float32 one after the other).
 * Then, with s = 2^n,
 *     exp(x)     = s q + s
 *     sigmoid(x) = 1 / (s q + (s + 1))               of -x
 *     tanh(x)    = m / (m + 2),  m = s q + (s - 1)   of 2x
 * where s + 1 and s - 1 are exact or lose nothing that counts, so that tanh keeps its
 * relative accuracy at 0. log2(e) stands in two parts, and n comes from adding 1.5
 * 2^23. There is a division and no estimate of a reciprocal, because those differ from
 * processor to processor. A NaN comes out as a NaN.
 */
#ifndef LSTM_KERNELS_ACTIVATION_H
#define LSTM_KERNELS_ACTIVATION_H

#include "lib/lstm/kernels/simd.h"

/* Largest |x| whose exponential and its reciprocal are both normal floats: 126 ln 2. */
#define EXP_LIMIT 87.3365f

/* Unsigned, so that what a NaN brings may wrap round. */
typedef uint32_t vu __attribute__((vector_size(sizeof(vf))));

/* s and q of x, |x| <= EXP_LIMIT. */
INLINE void v_exp_parts(vf x, vf *s, vf *q)
{
    const float magic = 12582912.0f; /* 1.5 2^23: the unit of its last place is 1 */
    vf shifted = v_fma(x, v_splat(0x1.715476p+0f), v_splat(magic));
    vf n = shifted - magic;
    vf r = v_fma(x, v_splat(0x1.715476p+0f), -n);
    r = v_fma(x, v_splat(0x1.4ae0c0p-26f), r);
    vf p = v_fma(r, v_splat(0x1.42a3b8p-13f), v_splat(0x1.5ef1acp-10f));
    p = v_fma(p, r, v_splat(0x1.3b2c32p-7f));
    p = v_fma(p, r, v_splat(0x1.c6afa4p-5f));
    p = v_fma(p, r, v_splat(0x1.ebfbdep-3f));
    p = v_fma(p, r, v_splat(0x1.62e430p-1f));
    *q = p * r;
    /* n stands in the low bits of the shifted number; 127 is the bias of the exponent.
     */
    *s = (vf)(((vu)shifted + 127u) << 23);
}

INLINE vf v_clamp(vf x, float limit)
{
    return v_max(v_splat(-limit), v_min(v_splat(limit), x));
}

INLINE vf v_sigmoid(vf x)
{
    vf s, q;
    v_exp_parts(v_clamp(-x, EXP_LIMIT), &s, &q);
    return 1.0f / v_fma(s, q, s + 1.0f);
}

INLINE vf v_tanh(vf x)
{
    vf s, q;
    /* tanh(10) is 1 in float32; a smaller limit also keeps m + 2 from overflowing. */
    v_exp_parts(v_clamp(x, 10.0f) * 2.0f, &s, &q);
    vf m = v_fma(s, q, s - 1.0f);
    return m / (m + 2.0f);
}

/* Above 88.72 infinite, below -87.33 zero: no denormal comes out. */
INLINE vf v_exp(vf x)
{
    vf s, q;
    v_exp_parts(v_max(v_splat(-EXP_LIMIT), v_min(v_splat(88.0f), x)), &s, &q);
    vf e = v_fma(s, q, s);
    /* The last stretch to the largest float: exp(x) = exp(88) exp(x - 88). */
    vf rest = v_max(v_splat(0.0f), x - 88.0f);
    vf rs, rq;
    v_exp_parts(v_min(v_splat(2.0f), rest), &rs, &rq);
    e = e * v_fma(rs, rq, rs);
    vi under = x < -EXP_LIMIT;
    return (vf)(~under & (vi)e);
}

#endif
