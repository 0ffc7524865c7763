/* The generator against words of the reference implementation, and permutations of
 * PyTorch. */
#include "lib/common/mt19937.h"
#include "tests/support/test.h"

static void seeds_give_the_words_of_the_reference(void **state)
{
    (void)state;
    static const uint32_t zero[] = {2357136044u, 2546248239u, 3071714933u, 3626093760u,
                                    2588848963u};
    static const uint32_t answer[] = {1608637542u, 3421126067u, 4083286876u};
    mt19937 generator;
    mt19937_seed(&generator, 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(mt19937_next32(&generator), zero[i]);
    mt19937_seed(&generator, 42);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mt19937_next32(&generator), answer[i]);
}

static void word_10000_matches_the_cpp_standard(void **state)
{
    /* ISO C++ requires this of std::mt19937, whose default seed is 5489. */
    (void)state;
    mt19937 generator;
    mt19937_seed(&generator, 5489);
    for (size_t i = 0; i < 9999; i++)
        mt19937_next32(&generator);
    assert_int_equal(mt19937_next32(&generator), 4123659995u);
}

static void the_first_of_two_words_is_the_high_half(void **state)
{
    (void)state;
    mt19937 generator;
    mt19937_seed(&generator, 0);
    assert_true(mt19937_next64(&generator) ==
                ((uint64_t)2357136044u << 32 | 2546248239u));
}

static void permutations_agree_with_torch_randperm(void **state)
{
    (void)state;
    static const uint32_t expected[] = {3, 2, 4, 5, 1, 0};
    mt19937 generator;
    uint32_t order[6];
    mt19937_seed(&generator, 1234);
    mt19937_permutation(&generator, order, 6);
    assert_memory_equal(order, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(seeds_give_the_words_of_the_reference),
        TEST(word_10000_matches_the_cpp_standard),
        TEST(the_first_of_two_words_is_the_high_half),
        TEST(permutations_agree_with_torch_randperm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
