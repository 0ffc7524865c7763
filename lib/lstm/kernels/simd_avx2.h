/* Vectors of AVX2 with FMA: 8 lanes, 16 registers. See simd.h for what it must define.
 */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HAS_MIN_MAX 1

enum { LANES = 8 };
typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));

/* 3 rows by 4 gates of one vector, or 6 rows by 2 vectors: 12 accumulators. At least 8
 * are needed to hide the latency of two multiply-adds per cycle. Of the 118 GFLOP/s of
 * a core, the cell reaches 106 with 8 accumulators and 113 with 12. */
enum { CELL_ROWS = 3, PRODUCT_ROWS = 6, PRODUCT_VECTORS = 2, OUTER_ROWS = 6 };

/* A tile of weight gradients reads its rows six times, for 6 gates by 16 inputs at a
 * time. With chunks of 64 rows of the batch the rows stay in the first-level cache: all
 * weight gradients of the experiment take 7.4 ms instead of 8.1. */
enum { OUTER_BLOCKS = 2, OUTER_CHUNK = 64, OUTER_FETCH = 0 };

static inline vf v_splat(float x)
{
    return (vf)_mm256_set1_ps(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

static inline vf v_min(vf a, vf x)
{
    return (vf)_mm256_min_ps((__m256)a, (__m256)x);
}

static inline vf v_max(vf a, vf x)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)x);
}

static inline vu v_lookup(const uint32_t *table, vf index)
{
    return (vu)_mm256_permutevar8x32_epi32(_mm256_load_si256((const void *)table),
                                           (__m256i)index);
}

/* Sums of int8 products; see simd_bytes.h. The even bytes are a pair of 16-bit
 * integers, and so are the odd ones. */
#define HAS_QUADS 1
typedef __m256i v_sums;

static inline void v_quads_store(int16_t *to, size_t index, vi a)
{
    __m256i all = (__m256i)a;
    __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_store_si128((void *)(to + index), words);
}

static inline v_sums v_quads_add(v_sums sums, vu quads, const int16_t *a)
{
    int32_t pairs[2];
    memcpy(&pairs[0], a, sizeof(pairs[0]));
    memcpy(&pairs[1], a + 2, sizeof(pairs[1]));
    __m256i even = _mm256_and_si256((__m256i)quads, _mm256_set1_epi16(0xff));
    __m256i odd = _mm256_srli_epi16((__m256i)quads, 8);
    even = _mm256_madd_epi16(even, _mm256_set1_epi32(pairs[0]));
    odd = _mm256_madd_epi16(odd, _mm256_set1_epi32(pairs[1]));
    return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}

static inline v_sums v_sums_zero(void)
{
    return _mm256_setzero_si256();
}

static inline vu v_sums_total(v_sums sums)
{
    return (vu)sums;
}

static inline int32_t v_largest(vi a)
{
    __m128i low = _mm256_castsi256_si128((__m256i)a);
    __m128i x = _mm_max_epi32(low, _mm256_extracti128_si256((__m256i)a, 1));
    x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0xb1));
    return _mm_cvtsi128_si32(x);
}

static inline uint32_t v_total(vu a)
{
    __m128i low = _mm256_castsi256_si128((__m256i)a);
    __m128i x = _mm_add_epi32(low, _mm256_extracti128_si256((__m256i)a, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(x);
}

/* Without this gcc loads a vector again for each multiply-add that uses it. */
#define V_HOLD(x) __asm__("" : "+x"(x))
