/* Allocation, and the hook that tests install. */
#include "lib/common/memory.h"
#include "tests/support/memory.h"

static void memory_is_aligned_and_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *memory = common_alloc(sizes[i], 1);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % COMMON_ALIGNMENT, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(memory[j], 0);
        common_free(memory);
    }
    common_free(NULL);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    assert_null(common_alloc(SIZE_MAX, 1));
    assert_null(common_alloc(SIZE_MAX - 63, 1));
    assert_null(common_alloc(SIZE_MAX / 2, 4));
    assert_null(common_alloc(4, SIZE_MAX / 2));
}

static void the_hook_sees_and_refuses_allocations(void **state)
{
    (void)state;
    test_memory memory;
    test_memory_limit(&memory, 2);
    void *first = common_alloc(3, 5);
    char *second = common_strdup("text");
    void *third = common_alloc(1, 1);
    char *fourth = common_strdup("text");
    test_memory_unlimit();
    assert_non_null(first);
    assert_string_equal(second, "text");
    assert_null(third);
    assert_null(fourth);
    assert_int_equal(memory.largest, 15);
    common_free(first);
    common_free(second);
}

static void checked_arithmetic_detects_every_overflow(void **state)
{
    (void)state;
    size_t result;
    assert_true(common_multiply(SIZE_MAX / 2, 2, &result));
    assert_true(result == SIZE_MAX - 1);
    assert_false(common_multiply(SIZE_MAX / 2 + 1, 2, &result));
    assert_true(common_multiply(0, SIZE_MAX, &result));
    assert_true(result == 0);
    assert_true(common_add(SIZE_MAX, 0, &result));
    assert_false(common_add(SIZE_MAX, 1, &result));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_is_aligned_and_zero),
        TEST(sizes_that_overflow_are_refused),
        TEST(the_hook_sees_and_refuses_allocations),
        TEST(checked_arithmetic_detects_every_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
