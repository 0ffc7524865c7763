/**
 * @file
 * Common parts of the bfloat16 tests: bits, and a reference for the arithmetic of
 * pairs.
 */
#ifndef TESTS_SUPPORT_PAIRS_H
#define TESTS_SUPPORT_PAIRS_H

#include "lib/lstm/kernels/pairs.h"
#include "tests/support/test.h"

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* Replaces a denormal number by zero of the same sign. */
static inline float flushed(float x)
{
    return bits_of(x) & 0x7f800000u ? x : float_of(bits_of(x) & 0x80000000u);
}

static inline float half(float pair, size_t which)
{
    return lstm_bf16_float((uint16_t)(bits_of(pair) >> 16 * which));
}

/* A fused multiply-add that flushes denormal results to zero. A result that rounds to
 * the smallest normal number may count as denormal: x86 checks the result rounded to 24
 * bits without a limit of the exponent, ARM checks the result before rounding. */
static inline float fused(float a, float b, float sum)
{
    const float smallest = 0x1p-126f;
    float result = fmaf(a, b, sum);
    if (fabsf(result) != smallest)
        return flushed(result);
    /* The smaller factor is far below 1, so that scaling it does not overflow. */
    float small = fabsf(a) < fabsf(b) ? a : b, other = fabsf(a) < fabsf(b) ? b : a;
#if defined(__aarch64__)
    double near = copysign((double)smallest, (double)result);
    /* Difference between the exact result and the smallest normal number. */
    double off = fma((double)small, (double)other, (double)sum - near);
    return off * near < 0 ? copysignf(0, result) : result;
#else
    const float scale = 0x1p64f;
    float scaled = fmaf(small * scale, other, sum * scale);
    return fabsf(scaled) < smallest * scale ? copysignf(0, result) : result;
#endif
}

/* Two fused multiply-adds, the upper halves first. */
static inline float dot(float sum, float a, float b)
{
    for (size_t which = 2; which-- > 0;)
        sum = fused(flushed(half(a, which)), flushed(half(b, which)), flushed(sum));
    return sum;
}

#define assert_same(found, expected)                                                   \
    test_assert_same(found, expected, __FILE__, __LINE__)

/* Compares bits; all NaNs are equal. */
static inline void test_assert_same(float found, float expected, const char *file,
                                    int line)
{
    if (bits_of(found) == bits_of(expected) || (isnan(found) && isnan(expected)))
        return;
    print_error("%a (%08x) is not %a (%08x)\n", (double)found, bits_of(found),
                (double)expected, bits_of(expected));
    _fail(file, line);
}

#endif
