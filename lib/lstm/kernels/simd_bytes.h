/*
 * Sums of products of int8 weights and rounded activations on vectors; see bytes.h.
 *
 * A set with HAS_QUADS defines
 *
 *   - v_sums, sums of LANES rows of weights, and v_sums_zero(),
 *   - v_quads_store(to, index, a): stores LANES rounded activations, the first of which
 *   has this index; each quad takes 8 bytes of to,
 *   - v_quads_add(sums, quads, a): the sums and the products of LANES quads of weights
 *   with one quad of activations, as v_quads_store() stores it,
 *   - v_sums_total(sums): the sums of (q + 128) A,
 *   - v_largest(a) and v_total(a): the largest lane, if none is negative, and the sum.
 *
 * All are integers modulo 2^32. Other sets have the functions below.
 */
#ifndef LSTM_KERNELS_SIMD_BYTES_H
#define LSTM_KERNELS_SIMD_BYTES_H

#include "lib/lstm/kernels/bytes.h"
#include "lib/lstm/kernels/simd.h"

#if !HAS_QUADS
typedef vu v_sums;
typedef int16_t v_words __attribute__((vector_size(2 * LANES)));

INLINE void v_quads_store(int16_t *to, size_t index, vi a)
{
    v_words words = __builtin_convertvector(a, v_words);
    memcpy(to + index, &words, sizeof(words));
}

/* The order of the bytes is 0, 2, 1, 3; see lstm_quad_byte(). */
INLINE v_sums v_quads_add(v_sums sums, vu quads, const int16_t *a)
{
    sums += (quads & 0xff) * (uint32_t)a[0] + (quads >> 16 & 0xff) * (uint32_t)a[1];
    sums += (quads >> 8 & 0xff) * (uint32_t)a[2] + (quads >> 24) * (uint32_t)a[3];
    return sums;
}

INLINE int32_t v_largest(vi a)
{
    int32_t largest = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        largest = a[lane] > largest ? a[lane] : largest;
    return largest;
}

INLINE uint32_t v_total(vu a)
{
    uint32_t total = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        total += a[lane];
    return total;
}

INLINE v_sums v_sums_zero(void)
{
    return (v_sums){0};
}

INLINE vu v_sums_total(v_sums sums)
{
    return sums;
}
#endif

#endif
