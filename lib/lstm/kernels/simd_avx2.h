/* Vectors of AVX2 with FMA: 8 lanes, 16 registers. See simd.h for what is expected. */
#include <immintrin.h>

enum { LANES = 8 };
typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));

/* 3 rows by 4 gates of one vector, or 6 rows by 2 vectors: 12 accumulators. 8 are just
 * as many as hide the latency of two multiply-adds a cycle, and reach 106 GFLOP/s in
 * the cell where 12 reach 113 of 118. */
enum { CELL_ROWS = 3, PRODUCT_ROWS = 6, PRODUCT_VECTORS = 2, OUTER_ROWS = 6 };

/* A tile of weight gradients passes over its rows six times, for 6 rows of 16 inputs at
 * a time. 64 rows of the batch stay in the first level cache meanwhile: all gradients
 * of the experiment take 7.4 ms instead of 8.1. */
enum { OUTER_BLOCKS = 2, OUTER_PIECE = 64 };

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

/* gcc makes a load part of each multiply-add that uses it, three instead of one. */
#define V_HOLD(x) __asm__("" : "+x"(x))
