/**
 * @file
 * The one place where the libraries take and give back memory.
 *
 * Every allocation goes through here, so that tests can count them and make any of them
 * fail. Memory is aligned to 64 bytes: a cache line, and the widest vector.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** Alignment of every allocation, in bytes. */
enum { COMMON_ALIGNMENT = 64 };

/** Asks a test whether the next allocation may succeed; bytes is its size. */
typedef bool (*common_memory_hook)(size_t bytes, void *user);

/**
 * Allocates count elements of size bytes, zeroed.
 *
 * @return the memory, freed with common_free(); NULL when there is none, or when the
 *         product overflows; a count of 0 gives a valid address
 */
void *common_alloc(size_t count, size_t size);

/** Frees what common_alloc() gave; NULL does nothing. */
void common_free(void *memory);

/** Copies a string; NULL when there is no memory. */
char *common_strdup(const char *text);

/**
 * Installs a hook that sees every allocation of the process; NULL removes it. For
 * tests, while no other thread allocates.
 */
void common_memory_set_hook(common_memory_hook hook, void *user);

/** Multiplies; false, and *product unspecified, when the result overflows. */
static inline bool common_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/** Adds; false, and *sum unspecified, when the result overflows. */
static inline bool common_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

#endif
