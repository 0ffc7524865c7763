/* Vectors of AArch64 NEON: 4 lanes, 32 registers. See simd.h for what it must define.
 */
#include <arm_neon.h>
#include <stdint.h>

enum { LANES = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));

/* 4 rows by 4 gates of one vector: 16 accumulators. 6 rows by 4 vectors: 24. */
enum { CELL_ROWS = 4, PRODUCT_ROWS = 6, PRODUCT_VECTORS = 4, OUTER_ROWS = 6 };
/* No chunks: measurements show a gain for AVX2 only. */
enum { OUTER_BLOCKS = 1, OUTER_CHUNK = 1 << 30 };

static inline vf v_splat(float x)
{
    return (vf)vdupq_n_f32(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

static inline vu v_lookup(const uint32_t *table, vf index)
{
    uint8x16x2_t bytes = vld1q_u8_x2((const uint8_t *)table);
    vu first = ((vu)index & 7) * 0x04040404 + 0x03020100;
    return (vu)vqtbl2q_u8(bytes, (uint8x16_t)first);
}
