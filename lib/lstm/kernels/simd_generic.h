/*
 * Vectors of plain C: 4 lanes, which every compiler maps to what the machine has. See
 * simd.h for what is expected.
 *
 * Without an instruction for it a fused multiply-add is slow, so the default multiplies
 * and then adds, and gives other bits than the sets that fuse. With EXACT_FMA it is
 * fused all the same, in double: the product of two floats is exact there, and the sum,
 * rounded to odd, loses nothing that the rounding to float needs (Boldo and Melquiond,
 * 2008).
 */
enum { LANES = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));

/* 2 rows by 4 gates of one vector, or by 4 vectors: 8 accumulators of 16 registers. */
enum { CELL_ROWS = 2, PRODUCT_ROWS = 2, PRODUCT_VECTORS = 4, OUTER_ROWS = 2 };

static inline vf v_splat(float x)
{
    return (vf){x, x, x, x};
}

#if EXACT_FMA
static inline float exact_fma(float a, float b, float c)
{
    double product = (double)a * (double)b, addend = c;
    double sum = product + addend;
    /* What the sum lost (Knuth's two-sum), exact. */
    double part = sum - product;
    double lost = (product - (sum - part)) + (addend - part);
    int64_t bits;
    memcpy(&bits, &sum, sizeof(bits));
    /* Not exact and even: the neighbour on the side of what was lost is odd. */
    int64_t away = (lost > 0) == (sum > 0) ? 1 : -1;
    int64_t inexact = lost != 0 && lost - lost == 0;
    bits += (inexact & ~bits & 1) * away;
    memcpy(&sum, &bits, sizeof(sum));
    return (float)sum;
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf){exact_fma(a[0], b[0], c[0]), exact_fma(a[1], b[1], c[1]),
                exact_fma(a[2], b[2], c[2]), exact_fma(a[3], b[3], c[3])};
}
#else
static inline vf v_fma(vf a, vf b, vf c)
{
    return a * b + c;
}
#endif

static inline vf v_select(vi mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

static inline vf v_min(vf a, vf x)
{
    return v_select(a < x, a, x);
}

static inline vf v_max(vf a, vf x)
{
    return v_select(a > x, a, x);
}

static inline vu v_lookup(const uint32_t *table, vf index)
{
    vu i = (vu)index & 7;
    return (vu){table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
}
