/* Vectors of AVX-512 with products of pairs of bfloat16; see simd_pairs.h. */
#include <stddef.h>

#include "lib/lstm/kernels/simd_avx512.h"

#define HAS_PAIR_DOT   1
#define HAS_PAIR_STORE 1

static inline vf v_dot(vf sum, vf a, vf b)
{
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

/* One conversion gives the pairs of channels of both rows. One permutation of these
 * gives the pairs of rows. */
static inline void v_store_pairs(float *rows, size_t unit, vf even, vf odd)
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                         23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i channels = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    (void)unit;
    _mm512_store_si512(rows, channels);
    _mm512_store_si512(rows + LANES, _mm512_permutexvar_epi16(order, channels));
}
