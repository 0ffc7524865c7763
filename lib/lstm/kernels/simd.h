/*
 * The vectors that the bodies are written with.
 *
 * An instruction set's header defines
 *
 *   - LANES, and the types vf, vi and vu of that many floats and 32-bit integers with
 *     and without sign, with the operators that GNU C gives them,
 *   - CELL_ROWS, PRODUCT_ROWS, PRODUCT_VECTORS and OUTER_ROWS: the sizes of the tiles
 *     whose accumulators fit its registers,
 *   - OUTER_BLOCKS of a tile of weight gradients, and OUTER_PIECE, the most rows of
 *     the batch that it meets at a time,
 *   - v_splat(x): all lanes x,
 *   - v_fma(a, b, c): a b + c with one rounding,
 *   - v_min(a, x) and v_max(a, x): x when the two do not compare, so a NaN in x stays,
 *   - v_lookup(table, index): element of a table of 8 by the last 3 bits of an index;
 *     the table stands in memory twice, aligned.
 *
 * Everything else is here. Memory of vectors is aligned to 64 bytes, apart from
 * v_loadu.
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

#include KERNEL_SIMD

/* Loops over k and over rows of the batch: as many copies of the body as pay. */
#ifndef UNROLL_STEPS
#define UNROLL_STEPS _Pragma("GCC unroll 8")
#define UNROLL_ROWS  _Pragma("GCC unroll 4")
#else
#define UNROLL_ROWS UNROLL_STEPS
#endif

/* Keeps a vector in a register, where the compiler does not by itself. */
#ifndef V_HOLD
#define V_HOLD(x) ((void)(x))
#endif

/* Channels that lie together in a block of activations; see kernels.h. */
enum { BLOCK = LSTM_BLOCK, BLOCK_VECTORS = LSTM_BLOCK / LANES };

/* Asks for a line into the second level cache; the first is too small to keep it. */
#define PREFETCH(address)       __builtin_prefetch((address), 0, 2)
#define PREFETCH_WRITE(address) __builtin_prefetch((address), 1, 3)

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
