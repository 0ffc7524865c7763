/*
 * Vectors of plain C: 4 lanes, which every compiler maps to instructions of the
 * machine. simd.h lists the required definitions.
 *
 * A fused multiply-add is slow without an instruction for it. By default v_fma()
 * therefore multiplies and then adds, which gives other bits than the sets with a fused
 * multiply-add. With EXACT_FMA, in the reproducible mode, it rounds once, too. It
 * computes in double: the product of two floats is exact there, and the sum, rounded to
 * odd, can be rounded to float correctly (Boldo and Melquiond, 2008). Sizes and layouts
 * are the same in both forms, so both read the same panels of weights.
 */
#include <stdbool.h>
#include <stdint.h>

enum { LANES = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));

/* 2 rows by 4 gates of one vector, or by 4 vectors: 8 accumulators of 16 registers. */
enum { CELL_ROWS = 2, PRODUCT_ROWS = 2, PRODUCT_VECTORS = 4, OUTER_ROWS = 2 };
/* No chunks: measurements show a gain for AVX2 only. */
enum { OUTER_BLOCKS = 1, OUTER_CHUNK = 1 << 30, OUTER_FETCH = 0 };

static inline vf v_splat(float x)
{
    return (vf){x, x, x, x};
}

#if EXACT_FMA && defined(__FP_FAST_FMAF)
static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf){__builtin_fmaf(a[0], b[0], c[0]), __builtin_fmaf(a[1], b[1], c[1]),
                __builtin_fmaf(a[2], b[2], c[2]), __builtin_fmaf(a[3], b[3], c[3])};
}
#elif EXACT_FMA
/* Vectors of as many doubles as vf has floats, and of their bits. */
typedef double vd __attribute__((vector_size(32)));
typedef int64_t vl __attribute__((vector_size(32)));
typedef uint64_t vul __attribute__((vector_size(32)));

/* a b + c: rounds to odd in double, then to float. */
static __attribute__((noinline, cold, unused)) vf round_to_odd(vf a, vf b, vf c)
{
    vd product = __builtin_convertvector(a, vd) * __builtin_convertvector(b, vd);
    vd addend = __builtin_convertvector(c, vd), sum = product + addend;
    /* The exact error of the sum (Knuth's two-sum); not finite if the sum is not
     * finite. */
    vd part = sum - product;
    vd lost = (product - (sum - part)) + (addend - part);
    vl inexact = (lost != 0) & (lost - lost == 0);
    /* An inexact sum that is even: its neighbour towards the exact sum is odd. */
    vl bits = (vl)sum, even = (bits & 1) - 1;
    vl away = ((lost > 0) ^ (sum > 0)) | 1;
    bits += inexact & even & away;
    return __builtin_convertvector((vd)bits, vf);
}

/* Not inline: compilers need minutes for hundreds of copies. */
static __attribute__((noinline)) vf v_fma(vf a, vf b, vf c)
{
    vd sum = __builtin_convertvector(a, vd) * __builtin_convertvector(b, vd) +
             __builtin_convertvector(c, vd);
    vf rounded = __builtin_convertvector(sum, vf);
    /* Rounding twice is wrong only if the double is half way between two floats: then
     * the 29 bits that a float lacks are a one and zeros, or the float is denormal.
     * That is rare, so test all lanes first. */
    vi low = __builtin_convertvector((vl)sum, vi);
    vi high = __builtin_convertvector((vul)sum >> 32, vi);
    vi half_way = (low & 0x1fffffff) == 0x10000000;
    vi small = ((vi)rounded & 0x7fffffff) <= 0x00800000;
    vi zero = (low | (high & 0x7fffffff)) == 0;
    vi doubtful = half_way | (small & ~zero);
    typedef int64_t pair __attribute__((vector_size(16)));
    pair any = (pair)doubtful;
    if (__builtin_expect((any[0] | any[1]) != 0, 0))
        return round_to_odd(a, b, c);
    return rounded;
}
#else
static inline vf v_fma(vf a, vf b, vf c)
{
    return a * b + c;
}
#endif

static inline vu v_lookup(const uint32_t *table, vf index)
{
    vu i = (vu)index & 7;
    return (vu){table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
}

#if EXACT_FMA
/* No unrolling: the loop bodies call functions, so unrolling does not help. */
#define UNROLL_K

/*
 * v_dot() of simd_pairs.h. The product of two bfloat16 values is exact in float, so a
 * product that is a normal number needs no fused multiply-add.
 */
#define HAS_PAIR_DOT 1

/* The products of the upper and of the lower halves of pairs. */
static inline void v_pair_products(vf a, vf b, vf *upper, vf *lower)
{
    vu mask = (vu){0} + 0xffff0000u;
    *upper = (vf)((vu)a & mask) * (vf)((vu)b & mask);
    *lower = (vf)((vu)a << 16) * (vf)((vu)b << 16);
}

/* Lanes whose product is finite and above 2^-125, which is far enough from denormal
 * numbers to be exact. One comparison is enough, because the sum of bits wraps around
 * to the smallest integers. */
static inline vi v_is_exact(vf product)
{
    return (vi)(((vu)product & 0x7fffffffu) + 0x7effffffu) < -0x1800001;
}

static inline bool v_all(vi mask)
{
    typedef int64_t halves __attribute__((vector_size(16)));
    halves both = (halves)mask;
    return (both[0] & both[1]) == -1;
}

/* Adds one product of each lane, exact or not. */
static inline vf v_pair_add(vf product, vf a, vf b, vf sum)
{
    return v_all(v_is_exact(product)) ? product + sum : v_fma(a, b, sum);
}

/* v_dot() where a product of some lane may not be exact. Not inline, as v_fma(). */
static __attribute__((noinline, unused)) vf v_dot_checked(vf sum, vf a, vf b)
{
    vu mask = (vu){0} + 0xffff0000u;
    vf upper, lower;
    v_pair_products(a, b, &upper, &lower);
    sum = v_pair_add(upper, (vf)((vu)a & mask), (vf)((vu)b & mask), sum);
    return v_pair_add(lower, (vf)((vu)a << 16), (vf)((vu)b << 16), sum);
}

static inline vf v_dot(vf sum, vf a, vf b)
{
    vf upper, lower;
    v_pair_products(a, b, &upper, &lower);
    if (v_all(v_is_exact(upper) & v_is_exact(lower)))
        return lower + (upper + sum);
    return v_dot_checked(sum, a, b);
}
#endif
