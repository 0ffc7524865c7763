/* Numbers in the command lines and input of programs. */
#include "examples/common/number.h"
#include "tests/support/test.h"

static void a_count_is_digits_below_2_to_64(void **state)
{
    (void)state;
    static const char *const refused[] = {"",
                                          " 1",
                                          "1 ",
                                          "+1",
                                          "-1",
                                          "1.0",
                                          "1e3",
                                          "0x10",
                                          "18446744073709551616",
                                          "000000000000000000001",
                                          "12,5"};
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_false(number_count(refused[i], &value));
    assert_true(number_count("0", &value));
    assert_int_equal(value, 0);
    assert_true(number_count("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
}

static void a_real_is_one_finite_decimal_number(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",       " 1",    "1 ",  "inf", "nan", "0x1p3", "1e",         "1e999",
        "-1e999", "1.2.3", "1,5", "--1", ".",   "5%",    "2024-01-05", "12:30",
        "1e-400", "-.01e-399"};
    double value = 0;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_false(number_real(refused[i], &value));
    assert_true(number_real("1000000001.25", &value));
    assert_true(value == 1000000001.25);
    assert_true(number_real("-.5e-3", &value));
    assert_true(value == -.5e-3);
    assert_true(number_real("4.9e-324", &value));
    assert_true(value > 0);
    assert_true(number_real("-0.00e-400", &value));
    assert_true(value == 0);
}

static void only_one_has_no_plural(void **state)
{
    (void)state;
    assert_string_equal(number_plural(0), "s");
    assert_string_equal(number_plural(1), "");
    assert_string_equal(number_plural(2), "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_count_is_digits_below_2_to_64),
        TEST(a_real_is_one_finite_decimal_number),
        TEST(only_one_has_no_plural),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
