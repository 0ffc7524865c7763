/**
 * @file
 * Memory: all allocations of the libraries.
 *
 * All code allocates with these functions, so that tests can count allocations and make
 * any of them fail. Memory is aligned to 64 bytes, the size of a cache line and of the
 * widest vector.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/common/names.h"

/** Alignment of every allocation, in bytes. */
enum { COMMON_ALIGNMENT = 64 };

/** Returns whether the next allocation, of this many bytes, may succeed. */
typedef bool (*common_memory_hook)(size_t bytes, void *user);

/**
 * Allocates count elements of size bytes, set to zero.
 *
 * @return the memory, to be freed with common_free(); NULL when there is not enough
 * memory or the product overflows. A count of 0 returns a valid address.
 */
void *common_alloc(size_t count, size_t size);

/** The same of so many bytes: an object, or text. */
static inline void *common_alloc_bytes(size_t bytes)
{
    return common_alloc(bytes, 1);
}

/** Frees memory of common_alloc(); NULL is allowed. */
void common_free(void *memory);

/** Copies a string; NULL when there is not enough memory. */
char *common_strdup(const char *text);

/**
 * Installs a hook that is called before every allocation of the library; NULL removes
 * it. For tests, while no other thread allocates.
 */
void common_memory_set_hook(common_memory_hook hook, void *user);

/** Multiplies. Returns false, and leaves *product unspecified, on overflow. */
static inline bool common_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/** Adds. Returns false, and leaves *sum unspecified, on overflow. */
static inline bool common_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

#endif
