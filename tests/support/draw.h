/**
 * @file
 * Random numbers for tests: seeded, reproducible, and independent of the libraries
 * (SplitMix64, Steele, Lea and Flood, 2014); and a hash.
 */
#ifndef TESTS_SUPPORT_DRAW_H
#define TESTS_SUPPORT_DRAW_H

#include <stddef.h>
#include <stdint.h>

/** Draws 64 bits. */
static inline uint64_t draw_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** Draws a float uniform in [-1, 1). */
static inline float draw_float(uint64_t *state)
{
    return (float)(draw_bits(state) >> 40) * 0x1p-23f - 1;
}

/** Draws an integer from low to high, inclusive. */
static inline size_t draw_size(uint64_t *state, size_t low, size_t high)
{
    return low + (size_t)(draw_bits(state) % (high - low + 1));
}

/** Initial value of a hash. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

/** Continues a 64-bit FNV-1a hash over bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
