/* exp, log and powers against the C library in long double. */
#include "lib/lstm/core/elementary.h"
#include "tests/support/test.h"

/* The error of a result in units in the last place. */
static double error(double found, long double exact)
{
    int exponent;
    frexp(found, &exponent);
    return (double)fabsl(((long double)found - exact) / ldexpl(1, exponent - 53));
}

enum { TRIES = 200000 };
static const double most = 2;

static void the_error_of_exp_is_at_most_two_units(void **state)
{
    (void)state;
    double largest = 0;
    for (int i = 0; i <= TRIES; i++) {
        double x = -700.0 * pow((double)i / TRIES, 4);
        double found = error(lstm_exp(x), expl(x));
        largest = found > largest ? found : largest;
    }
    assert_true(largest < most);
    assert_true(largest > 0.5);
}

static void the_error_of_log_is_at_most_two_units(void **state)
{
    (void)state;
    double largest = 0;
    for (int i = 1; i <= TRIES; i++) {
        double x = 1 + 1e6 * pow((double)i / TRIES, 6);
        double found = error(lstm_log(x), logl(x));
        largest = found > largest ? found : largest;
    }
    assert_true(largest < most);
    assert_true(largest > 0.5);
}

/* Trainings have the same bits everywhere, so this choice must not change. */
static void log_does_not_halve_the_root_of_2(void **state)
{
    (void)state;
    assert_true(lstm_log(0x1.6a09e667f3bcdp0) == 0x1.62e42fefa39f1p-2);
    assert_true(lstm_log(0x1.6a09e667f3bccp0) < 0x1.62e42fefa39f1p-2);
    assert_true(lstm_log(0x1.6a09e667f3bcep0) > 0x1.62e42fefa39f0p-2);
}

static void powers_agree_with_the_library(void **state)
{
    (void)state;
    static const double bases[] = {0.9, 0.999, 0.5, 0.123, 1};
    for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++)
        for (uint64_t n = 0; n < 5000; n = n * 5 / 4 + 1) {
            double exact = pow(bases[b], (double)n);
            /* Each of n multiplications rounds once. */
            double bound = (double)(n + 1) * 0x1p-52 * exact;
            assert_close(lstm_power(bases[b], n), exact, bound > 0 ? bound : 1e-300);
        }
}

static void limits_and_nan_are_right(void **state)
{
    (void)state;
    assert_true(lstm_exp(0) == 1);
    assert_true(lstm_exp(-709) == 0);
    assert_true(lstm_exp(-INFINITY) == 0);
    assert_true(isnan(lstm_exp(NAN)));
    assert_true(lstm_log(1) == 0);
    assert_true(isnan(lstm_log(NAN)));
    assert_true(lstm_power(0, 0) == 1);
    assert_true(lstm_power(0, 3) == 0);
    assert_true(lstm_power(0.9, UINT64_MAX) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_error_of_exp_is_at_most_two_units),
        TEST(the_error_of_log_is_at_most_two_units),
        TEST(log_does_not_halve_the_root_of_2),
        TEST(powers_agree_with_the_library),
        TEST(limits_and_nan_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
