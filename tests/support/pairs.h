/**
 * @file
 * What the tests of bfloat16 share: bits, and the arithmetic of pairs written out.
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

/* Denormal numbers as zeros of their sign. */
static inline float flushed(float x)
{
    return bits_of(x) & 0x7f800000u ? x : float_of(bits_of(x) & 0x80000000u);
}

static inline float half(float pair, size_t which)
{
    return lstm_bf16_float((uint16_t)(bits_of(pair) >> 16 * which));
}

/* Two fused multiply-adds, that of the upper halves first: fmaf() of the C library
 * rounds once, and what it gives is flushed. */
static inline float dot(float sum, float a, float b)
{
    for (size_t which = 2; which-- > 0;)
        sum = flushed(
            fmaf(flushed(half(a, which)), flushed(half(b, which)), flushed(sum)));
    return sum;
}

#define assert_same(found, expected)                                                   \
    test_assert_same(found, expected, __FILE__, __LINE__)

/* The same bits; of NaNs, any. */
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
