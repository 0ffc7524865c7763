/**
 * @file
 * Allocations with injected failures.
 */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include "tests/support/common.h"
#include "tests/support/test.h"

/** State of the injected failures. */
typedef struct test_memory {
    /** Number of allocations that still succeed. */
    size_t left;
    /** Whether only the next one fails, instead of all further ones. */
    bool alone;
    /** Size of the largest allocation. */
    size_t largest;
} test_memory;

static inline bool test_memory_hook(size_t bytes, void *user)
{
    test_memory *memory = user;
    memory->largest = bytes > memory->largest ? bytes : memory->largest;
    if (memory->left-- > 0)
        return true;
    memory->left = memory->alone ? SIZE_MAX : 0;
    return false;
}

/** Makes all allocations after the first allocations ones fail. */
static inline void test_memory_limit(test_memory *memory, size_t allocations)
{
    *memory = (test_memory){.left = allocations};
    test_memory_set_hook(test_memory_hook, memory);
}

/** Makes only the allocation after the first allocations ones fail. */
static inline void test_memory_fail_one(test_memory *memory, size_t allocations)
{
    *memory = (test_memory){.left = allocations, .alone = true};
    test_memory_set_hook(test_memory_hook, memory);
}

static inline void test_memory_unlimit(void)
{
    test_memory_set_hook(NULL, NULL);
}

#endif
