/*
 * exp, sigmoid and tanh against the C library in double precision, whose error is about
 * 1e-16, for ten million floats. bench/check_activations.c tests all floats.
 */
#include <float.h>

#include "lib/lstm/kernels/kernels.h"
#include "tests/support/test.h"

typedef void (*activation)(size_t count, const float *x, float *y);

enum { CHUNK = 1 << 12 };

/* Every 429th bit pattern: all signs and exponents, denormals, infinities, NaN. */
enum { STRIDE = 429 };

/* Whether the set fuses multiply-adds; plain C rounds twice. */
static bool fuses(void)
{
    return strcmp(lstm_kernels_get()->name, "generic") != 0;
}

static double exact_exp(double x)
{
    return exp(x);
}

static double exact_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double exact_tanh(double x)
{
    return tanh(x);
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* The distance of the floats at a result. */
static double ulp(double exact)
{
    double size = fmax(fabs(exact), (double)FLT_MIN);
    return ldexp((double)FLT_EPSILON, ilogb(size));
}

/* Fails when an error exceeds the bound of docs/numerics.md: the absolute error for all
 * x, the relative error and the error in ULP for x from low to high. */
static void check(activation function, double (*exact)(double), double absolute,
                  double relative, double ulps, double low, double high)
{
    float x[CHUNK], y[CHUNK];
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += (uint64_t)CHUNK * STRIDE) {
        size_t count = 0;
        for (; count < CHUNK && bits + count * STRIDE <= UINT32_MAX; count++)
            x[count] = from_bits((uint32_t)(bits + count * STRIDE));
        function(count, x, y);
        for (size_t i = 0; i < count; i++) {
            double expected = exact((double)x[i]);
            /* The difference of equal infinities is NaN. */
            double error = (double)y[i] == expected ? 0 : fabs((double)y[i] - expected);
            bool inside = (double)x[i] >= low && (double)x[i] <= high;
            if (x[i] != x[i] ? y[i] != y[i]
                             : error <= absolute &&
                                   (!inside || (error <= relative * fabs(expected) &&
                                                error <= ulps * ulp(expected))))
                continue;
            fail_msg("f(%.9g) is %.9g, expected %.9g", (double)x[i], (double)y[i],
                     expected);
        }
    }
}

static void sigmoid_is_within_its_error_bounds(void **state)
{
    (void)state;
    check(lstm_kernels_get()->sigmoid, exact_sigmoid, fuses() ? 9.1e-8 : 1.5e-7,
          fuses() ? 1.4e-6 : 4e-6, fuses() ? 25 : 69, -87, INFINITY);
}

static void tanh_is_within_its_error_bounds(void **state)
{
    (void)state;
    check(lstm_kernels_get()->tanh, exact_tanh, fuses() ? 9.4e-8 : 1.5e-7, 1.1e-6, 20,
          -INFINITY, INFINITY);
}

static void exp_is_within_its_error_bounds(void **state)
{
    (void)state;
    check(lstm_kernels_get()->exp, exact_exp, INFINITY, fuses() ? 1.8e-7 : 4e-6,
          fuses() ? 3.1 : 48, -87.33, 88.72);
}

static float at(activation function, float x)
{
    float y;
    function(1, &x, &y);
    return y;
}

static void the_ends_of_the_range_are_exact(void **state)
{
    (void)state;
    const lstm_kernels *k = lstm_kernels_get();
    static const float large[] = {30, 1000, FLT_MAX, INFINITY};
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        assert_true(at(k->tanh, large[i]) == 1);
        assert_true(at(k->tanh, -large[i]) == -1);
        assert_true(at(k->sigmoid, large[i]) == 1);
        assert_true(at(k->sigmoid, -large[i]) < 1e-13);
    }
    assert_true(at(k->exp, INFINITY) == INFINITY);
    assert_true(at(k->exp, 89) == INFINITY);
    assert_true(at(k->exp, FLT_MAX) == INFINITY);
    assert_true(at(k->exp, -INFINITY) == 0);
    assert_true(at(k->exp, -FLT_MAX) == 0);
    assert_true(at(k->exp, -88) == 0);
}

static void zero_and_its_neighbours_are_right(void **state)
{
    (void)state;
    const lstm_kernels *k = lstm_kernels_get();
    static const float tiny[] = {0, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MIN};
    for (size_t i = 0; i < sizeof(tiny) / sizeof(tiny[0]); i++) {
        assert_true(at(k->exp, tiny[i]) == 1);
        assert_true(at(k->sigmoid, tiny[i]) == 0.5f);
        assert_true(fabsf(at(k->tanh, tiny[i]) - tiny[i]) <= FLT_TRUE_MIN);
    }
}

static void nan_stays_nan(void **state)
{
    (void)state;
    static const uint32_t patterns[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff};
    const lstm_kernels *k = lstm_kernels_get();
    const activation functions[] = {k->exp, k->sigmoid, k->tanh};
    for (size_t f = 0; f < 3; f++)
        for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            float y = at(functions[f], from_bits(patterns[i]));
            assert_true(y != y);
        }
}

static void no_result_leaves_the_range_of_the_function(void **state)
{
    (void)state;
    const lstm_kernels *k = lstm_kernels_get();
    for (float x = -20; x <= 20; x += 1.0f / 1024) {
        assert_true(fabsf(at(k->tanh, x)) <= 1);
        assert_true(at(k->sigmoid, x) >= 0 && at(k->sigmoid, x) <= 1);
        assert_true(at(k->exp, x) > 0);
    }
}

/* The other elements of a vector have no effect, and the output may be the input. */
static void a_value_has_the_same_bits_at_every_position(void **state)
{
    (void)state;
    enum { MOST = 67, GUARD = 16 };
    const lstm_kernels *k = lstm_kernels_get();
    const activation functions[] = {k->exp, k->sigmoid, k->tanh};
    for (size_t f = 0; f < 3; f++)
        for (size_t count = 0; count <= MOST; count++) {
            float x[MOST + 1], y[MOST + GUARD];
            for (size_t i = 0; i < count; i++)
                x[i] = (float)i * 0.37f - 9;
            for (size_t i = 0; i < MOST + GUARD; i++)
                y[i] = -77;
            functions[f](count, x, y);
            for (size_t i = count; i < MOST + GUARD; i++)
                assert_true(y[i] == -77);
            for (size_t i = 0; i < count; i++) {
                float alone = at(functions[f], x[i]);
                assert_memory_equal(&alone, &y[i], sizeof(alone));
            }
            functions[f](count, x, x);
            assert_memory_equal(x, y, count * sizeof(float));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sigmoid_is_within_its_error_bounds),
        TEST(tanh_is_within_its_error_bounds),
        TEST(exp_is_within_its_error_bounds),
        TEST(the_ends_of_the_range_are_exact),
        TEST(zero_and_its_neighbours_are_right),
        TEST(nan_stays_nan),
        TEST(no_result_leaves_the_range_of_the_function),
        TEST(a_value_has_the_same_bits_at_every_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
