/**
 * @file
 * malloc() and the like with injected failures, for a program that includes this and
 * for all libraries in it.
 */
#ifndef TESTS_SUPPORT_HEAP_H
#define TESTS_SUPPORT_HEAP_H

#include <errno.h>

#include "tests/support/test.h"

/* Sanitizers define these functions themselves, and only glibc has the names below. */
#if defined(__has_feature)
#define TEST_HEAP_TAKEN                                                                \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_HEAP_TAKEN 1
#else
#define TEST_HEAP_TAKEN 0
#endif

/** Number of allocations that still succeed, whether only one fails, whether one has
 *  failed, and the number of live blocks. Not static: the linker refuses a program in
 *  which two files include this. */
struct {
    bool counting, alone, failed;
    size_t left;
    long live;
} test_heap;

/** Lets allocation number k fail, alone or with all after it. */
static inline void test_heap_fail(size_t k, bool alone)
{
    test_heap.left = k;
    test_heap.alone = alone;
    test_heap.failed = false;
    test_heap.counting = true;
}

/** Stops failing; returns whether an allocation failed. */
static inline bool test_heap_end(void)
{
    test_heap.counting = false;
    return test_heap.failed;
}

/** Number of live blocks. */
static inline long test_heap_live(void)
{
    return test_heap.live;
}

#if defined(__GLIBC__) && !TEST_HEAP_TAKEN
enum { TEST_HEAP = 1 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static inline bool test_heap_refuses(void)
{
    if (!test_heap.counting)
        return false;
    if (test_heap.left > 0) {
        test_heap.left--;
        return false;
    }
    bool refuses = !test_heap.failed || !test_heap.alone;
    test_heap.failed = true;
    errno = refuses ? ENOMEM : errno;
    return refuses;
}

static inline void *test_heap_count(void *memory)
{
    test_heap.live += memory != NULL;
    return memory;
}

void *malloc(size_t size)
{
    return test_heap_refuses() ? NULL : test_heap_count(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return test_heap_refuses() ? NULL : test_heap_count(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (test_heap_refuses())
        return NULL;
    void *moved = __libc_realloc(memory, size);
    test_heap.live += (moved != NULL) - (memory != NULL && (moved || size == 0));
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return test_heap_refuses() ? NULL
                               : test_heap_count(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (test_heap_refuses())
        return ENOMEM;
    void *found = test_heap_count(__libc_memalign(alignment, size));
    if (found)
        *memory = found;
    return found ? 0 : ENOMEM;
}

void free(void *memory)
{
    test_heap.live -= memory != NULL;
    __libc_free(memory);
}
#else
enum { TEST_HEAP = 0 };
#endif

#endif
