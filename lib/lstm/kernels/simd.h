/*
 * The vectors that the bodies use.
 *
 * An instruction set's header, KERNEL_SIMD, defines
 *
 *   - LANES, and the types vf, vi and vu of LANES floats and 32-bit integers with and
 *     without sign, with the operators of GNU C's vectors,
 *   - CELL_ROWS, PRODUCT_ROWS, PRODUCT_VECTORS and OUTER_ROWS: the sizes of tiles whose
 *     accumulators fit its registers,
 *   - OUTER_BLOCKS, the number of blocks of a tile of weight gradients, OUTER_CHUNK,
 * the maximum number of rows of the batch in a chunk of its steps, and OUTER_FETCH,
 *   whether it prefetches the rows of the next group,
 *   - v_splat(x): all lanes x,
 *   - v_fma(a, b, c): a b + c with one rounding,
 *   - v_lookup(table, index): the element of a table of 8 at the index in the last 3
 *   bits of each lane; the table is in memory twice, aligned,
 *   - HAS_MIN_MAX, v_min(a, x) and v_max(a, x), if it has instructions for them that
 *   return x when a or x is NaN,
 *   - HAS_PAIR_DOT, HAS_PAIR_STORE and functions for pairs, see simd_pairs.h,
 *   - UNROLL_K and V_HOLD, if other values than the defaults below are faster.
 *
 * All other functions are here. Memory of vectors is aligned to 64 bytes, except for
 * v_loadu and v_storeu.
 */
#ifndef LSTM_KERNELS_SIMD_H
#define LSTM_KERNELS_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__OPTIMIZE__)
#define UNROLL /* gcc warns that it does not */
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define INLINE static inline __attribute__((always_inline))

#include "lib/lstm/kernels/kernels.h"
#include KERNEL_SIMD

/* Unrolling of loops over k, and over rows of the batch. */
#ifndef UNROLL_K
#define UNROLL_K    _Pragma("GCC unroll 8")
#define UNROLL_ROWS _Pragma("GCC unroll 4")
#else
#define UNROLL_ROWS UNROLL_K
#endif

/* Makes the compiler keep a vector in a register. */
#ifndef V_HOLD
#define V_HOLD(x) ((void)(x))
#endif

/* Channels of a block of activations; see kernels.h. */
enum { BLOCK = LSTM_BLOCK, BLOCK_VECTORS = LSTM_BLOCK / LANES };

/* PREFETCH reads a cache line into the second-level cache, because the first level is
 * too small to keep it for long; PREFETCH_NEAR into the first level. */
#define PREFETCH(address)       __builtin_prefetch((address), 0, 2)
#define PREFETCH_NEAR(address)  __builtin_prefetch((address), 0, 3)
#define PREFETCH_WRITE(address) __builtin_prefetch((address), 1, 3)

#if !HAS_MIN_MAX
INLINE vf v_select(vi mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

/* The comparison is false when a or x is NaN; the result is then x. */
INLINE vf v_min(vf a, vf x)
{
    return v_select(a < x, a, x);
}

INLINE vf v_max(vf a, vf x)
{
    return v_select(a > x, a, x);
}
#endif

INLINE vf v_load(const float *p)
{
    return *(const vf *)__builtin_assume_aligned(p, sizeof(vf));
}

INLINE void v_store(float *p, vf x)
{
    *(vf *)__builtin_assume_aligned(p, sizeof(vf)) = x;
}

INLINE vf v_loadu(const float *p)
{
    vf x;
    memcpy(&x, p, sizeof(x));
    return x;
}

INLINE void v_storeu(float *p, vf x)
{
    memcpy(p, &x, sizeof(x));
}

INLINE vf v_zero(void)
{
    return (vf){0};
}

#endif
