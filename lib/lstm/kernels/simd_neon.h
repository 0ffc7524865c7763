/* Vectors of AArch64 NEON: 4 lanes, 32 registers. See simd.h for what it must define.
 */
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));

/* 4 rows by 4 gates of one vector: 16 accumulators. 6 rows by 4 vectors: 24. */
enum { CELL_ROWS = 4, PRODUCT_ROWS = 6, PRODUCT_VECTORS = 4, OUTER_ROWS = 6 };
/* No chunks: measurements show a gain for AVX2 only. */
enum { OUTER_BLOCKS = 1, OUTER_CHUNK = 1 << 30, OUTER_FETCH = 0 };

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

/* Sums of int8 products; see simd_bytes.h. The even bytes are a pair of 16-bit
 * integers, and so are the odd ones; a pair has two sums, which are added at the end.
 */
#define HAS_QUADS 1
typedef struct {
    int32x4_t low, high;
} v_sums;

static inline void v_quads_store(int16_t *to, size_t index, vi a)
{
    vst1_s16(to + index, vmovn_s32((int32x4_t)a));
}

static inline v_sums v_pairs_add(v_sums sums, int16x8_t pairs, const int16_t *a)
{
    int32_t pair;
    memcpy(&pair, a, sizeof(pair));
    int16x8_t both = vreinterpretq_s16_s32(vdupq_n_s32(pair));
    sums.low = vmlal_s16(sums.low, vget_low_s16(pairs), vget_low_s16(both));
    sums.high = vmlal_high_s16(sums.high, pairs, both);
    return sums;
}

static inline v_sums v_quads_add(v_sums sums, vu quads, const int16_t *a)
{
    sums = v_pairs_add(sums, (int16x8_t)(quads & 0x00ff00ff), a);
    return v_pairs_add(sums, (int16x8_t)vshrq_n_u16((uint16x8_t)quads, 8), a + 2);
}

static inline v_sums v_sums_zero(void)
{
    return (v_sums){vdupq_n_s32(0), vdupq_n_s32(0)};
}

static inline vu v_sums_total(v_sums sums)
{
    return (vu)vpaddq_s32(sums.low, sums.high);
}

static inline int32_t v_largest(vi a)
{
    return vmaxvq_s32((int32x4_t)a);
}

static inline uint32_t v_total(vu a)
{
    return vaddvq_u32((uint32x4_t)a);
}
