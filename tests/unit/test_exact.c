/* The multiply-adds of plain C in the reproducible mode, of floats and of pairs of
 * bfloat16, compared with fmaf() bit for bit. */
#include <float.h>

#include "tests/support/draw.h"
#include "tests/support/test.h"

#define EXACT_FMA 1
#include "lib/lstm/kernels/simd_generic.h"

enum { TRIES = 300000 };

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void check(const float *a, const float *b, const float *c)
{
    vf x, y, z;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    memcpy(&z, c, sizeof(z));
    vf found = v_fma(x, y, z);
    for (size_t i = 0; i < LANES; i++) {
        float expected = fmaf(a[i], b[i], c[i]), lane = found[i];
        if (expected != expected)
            assert_true(lane != lane);
        else
            assert_memory_equal(&lane, &expected, sizeof(lane));
    }
}

/* A number with an exponent in a range around that of 1, and with these bits of the
 * significand only: with few bits, sums end half way between floats. */
static float number(uint64_t *seed, size_t range, uint32_t digits)
{
    uint32_t bits = (uint32_t)draw_bits(seed);
    uint32_t exponent = (uint32_t)draw_size(seed, 127 - range, 127 + range);
    return from_bits((bits & (0x80000000u | digits)) | exponent << 23);
}

static void run(size_t range, uint32_t digits)
{
    uint64_t seed = range + digits;
    for (int i = 0; i < TRIES; i++) {
        float a[LANES], b[LANES], c[LANES];
        for (size_t j = 0; j < LANES; j++) {
            a[j] = number(&seed, range, digits);
            b[j] = number(&seed, range, digits);
            c[j] = number(&seed, range, digits);
        }
        check(a, b, c);
    }
}

static void ordinary_numbers_are_rounded_once(void **state)
{
    (void)state;
    run(3, 0x7fffff);
    run(20, 0x7fffff);
}

static void sums_half_way_between_floats_are_rounded_once(void **state)
{
    (void)state;
    run(26, 0x700000);
    run(26, 0x000003);
    run(30, 0x7ff001);
}

static void denormals_and_overflows_are_right(void **state)
{
    (void)state;
    run(126, 0x7fffff);
    run(126, 0x600000);
    uint64_t seed = 3;
    for (int i = 0; i < TRIES; i++) {
        float a[LANES], b[LANES], c[LANES];
        for (size_t j = 0; j < LANES; j++) {
            a[j] = from_bits((uint32_t)draw_bits(&seed));
            b[j] = 1 / a[j] * number(&seed, 3, 0x700000) * 0x1p-126f;
            c[j] = number(&seed, 1, 0x700000) * 0x1p-127f;
        }
        check(a, b, c);
    }
}

static void infinities_nan_and_zeros_are_right(void **state)
{
    (void)state;
    const float odd[] = {0,   -0.0f,   1,      -1,      INFINITY, -INFINITY,
                         NAN, FLT_MIN, 1e-45f, FLT_MAX, -FLT_MAX};
    enum { ODD = sizeof(odd) / sizeof(odd[0]) };
    for (size_t i = 0; i < ODD * ODD * ODD; i++) {
        float a[LANES], b[LANES], c[LANES];
        for (size_t j = 0; j < LANES; j++) {
            a[j] = odd[i % ODD];
            b[j] = odd[i / ODD % ODD];
            c[j] = odd[i / ODD / ODD];
        }
        check(a, b, c);
    }
}

/* A pair whose exponents are in a range around that of 1, or any bits. */
static float pair(uint64_t *seed, size_t range)
{
    uint32_t bits = (uint32_t)draw_bits(seed);
    if (range == 0)
        return from_bits(bits);
    uint32_t low = (uint32_t)draw_size(seed, 127 - range, 127 + range);
    uint32_t high = (uint32_t)draw_size(seed, 127 - range, 127 + range);
    return from_bits((bits & 0x807f807fu) | low << 7 | high << 23);
}

static float half(float of, bool upper)
{
    uint32_t bits;
    memcpy(&bits, &of, sizeof(bits));
    return from_bits(upper ? bits & 0xffff0000u : bits << 16);
}

static void check_pairs(size_t range)
{
    uint64_t seed = range;
    for (int i = 0; i < TRIES; i++) {
        float a[LANES], b[LANES], sum[LANES];
        for (size_t j = 0; j < LANES; j++) {
            a[j] = pair(&seed, range);
            b[j] = pair(&seed, range);
            sum[j] = number(&seed, range ? 2 * range : 126, 0x7fffff);
        }
        vf x, y, z;
        memcpy(&x, a, sizeof(x));
        memcpy(&y, b, sizeof(y));
        memcpy(&z, sum, sizeof(z));
        vf found = v_dot(z, x, y);
        for (size_t j = 0; j < LANES; j++) {
            float first = fmaf(half(a[j], true), half(b[j], true), sum[j]);
            float expected = fmaf(half(a[j], false), half(b[j], false), first);
            float lane = found[j];
            if (expected != expected)
                assert_true(lane != lane);
            else
                assert_memory_equal(&lane, &expected, sizeof(lane));
        }
    }
}

static void products_of_pairs_are_added_one_by_one(void **state)
{
    (void)state;
    check_pairs(3);
    check_pairs(20);
    check_pairs(60);
    check_pairs(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ordinary_numbers_are_rounded_once),
        TEST(sums_half_way_between_floats_are_rounded_once),
        TEST(denormals_and_overflows_are_right),
        TEST(infinities_nan_and_zeros_are_right),
        TEST(products_of_pairs_are_added_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
