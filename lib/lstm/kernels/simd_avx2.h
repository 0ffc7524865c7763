/* Vectors of AVX2 with FMA: 8 lanes, 16 registers. See simd.h for what it must define.
 */
#include <immintrin.h>
#include <stdint.h>

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
enum { OUTER_BLOCKS = 2, OUTER_CHUNK = 64 };

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

/* Without this gcc loads a vector again for each multiply-add that uses it. */
#define V_HOLD(x) __asm__("" : "+x"(x))
