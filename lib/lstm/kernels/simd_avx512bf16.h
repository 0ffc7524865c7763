/* Vectors of AVX-512 with products of pairs of bfloat16 and of quads of int8, which all
 * processors with AVX512_BF16 have (AVX512_VNNI); see simd_pairs.h and simd_bytes.h. */
#include <stddef.h>

#define HAS_QUADS 1
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

/* An activation is two signed bytes, 256 high + low: one instruction multiplies 4 bytes
 * of each lane without a sign, the weights, with 4 signed ones. */
typedef struct {
    __m512i low, high;
} v_sums;

static inline void v_quads_store(int16_t *to, size_t index, vi a)
{
    const __m128i order =
        _mm_set_epi8(15, 13, 14, 12, 11, 9, 10, 8, 7, 5, 6, 4, 3, 1, 2, 0);
    __m512i upper = _mm512_srai_epi32((__m512i)(a + 128), 8);
    __m128i low = _mm_shuffle_epi8(_mm512_cvtepi32_epi8((__m512i)a), order);
    __m128i high = _mm_shuffle_epi8(_mm512_cvtepi32_epi8(upper), order);
    _mm_store_si128((void *)(to + index), _mm_unpacklo_epi32(low, high));
    _mm_store_si128((void *)(to + index + LANES / 2), _mm_unpackhi_epi32(low, high));
}

static inline v_sums v_quads_add(v_sums sums, vu quads, const int16_t *a)
{
    int32_t bytes[2];
    memcpy(&bytes[0], a, sizeof(bytes[0]));
    memcpy(&bytes[1], a + 2, sizeof(bytes[1]));
    __m512i weights = (__m512i)quads;
    sums.low = _mm512_dpbusd_epi32(sums.low, weights, _mm512_set1_epi32(bytes[0]));
    sums.high = _mm512_dpbusd_epi32(sums.high, weights, _mm512_set1_epi32(bytes[1]));
    return sums;
}

static inline v_sums v_sums_zero(void)
{
    return (v_sums){_mm512_setzero_si512(), _mm512_setzero_si512()};
}

static inline vu v_sums_total(v_sums sums)
{
    return (vu)sums.low + ((vu)sums.high << 8);
}
