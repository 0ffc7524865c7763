/**
 * @file
 * Allocations that fail when a test says so.
 */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include "lib/common/memory.h"
#include "tests/support/test.h"

/** What the allocations of a test came to. */
typedef struct test_memory {
    /** Allocations until one fails. */
    size_t left;
    size_t largest;
} test_memory;

static inline bool test_memory_hook(size_t bytes, void *user)
{
    test_memory *memory = user;
    memory->largest = bytes > memory->largest ? bytes : memory->largest;
    if (memory->left == 0)
        return false;
    memory->left--;
    return true;
}

/** Lets the given number of allocations succeed, and the ones after them fail. */
static inline void test_memory_limit(test_memory *memory, size_t allocations)
{
    *memory = (test_memory){.left = allocations};
    common_memory_set_hook(test_memory_hook, memory);
}

static inline void test_memory_unlimit(void)
{
    common_memory_set_hook(NULL, NULL);
}

#endif
