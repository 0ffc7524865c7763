/* Vectors of AVX-512: 16 lanes, 32 registers. See simd.h for what it must define. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HAS_MIN_MAX 1

enum { LANES = 16 };
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));

/* 4 rows by 4 gates of one vector: 16 accumulators. 8 rows by 2 vectors: 16. */
enum { CELL_ROWS = 4, PRODUCT_ROWS = 8, PRODUCT_VECTORS = 2, OUTER_ROWS = 8 };
/* No chunks: reading rows from the second-level cache is fast enough, but the processor
 * starts too late: with OUTER_FETCH weight gradients take 0.92 to 0.96 of the time. */
enum { OUTER_BLOCKS = 2, OUTER_CHUNK = 1 << 30, OUTER_FETCH = 1 };

static inline vf v_splat(float x)
{
    return (vf)_mm512_set1_ps(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

static inline vf v_min(vf a, vf x)
{
    return (vf)_mm512_min_ps((__m512)a, (__m512)x);
}

static inline vf v_max(vf a, vf x)
{
    return (vf)_mm512_max_ps((__m512)a, (__m512)x);
}

static inline vu v_lookup(const uint32_t *table, vf index)
{
    return (vu)_mm512_permutexvar_epi32((__m512i)index, _mm512_load_si512(table));
}

static inline int32_t v_largest(vi a)
{
    return _mm512_reduce_max_epi32((__m512i)a);
}

/* The compiler has a reduction, but of signed integers, which must not overflow. */
static inline uint32_t v_total(vu a)
{
    __m512i all = (__m512i)a;
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all),
                                    _mm512_extracti64x4_epi64(all, 1));
    __m128i x =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(x);
}

/* Sums of int8 products as in simd_avx2.h, unless the processor has AVX512_VNNI. */
#if !HAS_QUADS
#define HAS_QUADS 1
typedef __m512i v_sums;

static inline void v_quads_store(int16_t *to, size_t index, vi a)
{
    _mm256_store_si256((void *)(to + index), _mm512_cvtepi32_epi16((__m512i)a));
}

static inline v_sums v_quads_add(v_sums sums, vu quads, const int16_t *a)
{
    int32_t pairs[2];
    memcpy(&pairs[0], a, sizeof(pairs[0]));
    memcpy(&pairs[1], a + 2, sizeof(pairs[1]));
    __m512i even = _mm512_and_si512((__m512i)quads, _mm512_set1_epi16(0xff));
    __m512i odd = _mm512_srli_epi16((__m512i)quads, 8);
    even = _mm512_madd_epi16(even, _mm512_set1_epi32(pairs[0]));
    odd = _mm512_madd_epi16(odd, _mm512_set1_epi32(pairs[1]));
    return _mm512_add_epi32(sums, _mm512_add_epi32(even, odd));
}

static inline v_sums v_sums_zero(void)
{
    return _mm512_setzero_si512();
}

static inline vu v_sums_total(v_sums sums)
{
    return (vu)sums;
}
#endif
