/**
 * @file
 * Allocations that fail when a test says so.
 */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include "tests/support/common.h"
#include "tests/support/test.h"

/** The allocations of a test. */
typedef struct test_memory {
    /** Number of allocations that still succeed. */
    size_t left;
    /** Only the next one fails then; otherwise all. */
    bool alone;
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

/** Lets the given number of allocations succeed, and the ones after them fail. */
static inline void test_memory_limit(test_memory *memory, size_t allocations)
{
    *memory = (test_memory){.left = allocations};
    test_memory_set_hook(test_memory_hook, memory);
}

/** Lets the given number of allocations succeed, the next one fail, and the ones after
 * it succeed again. */
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
