/**
 * @file
 * A hash of bytes that tells names and contents apart; not against forgery.
 */
#ifndef LIB_COMMON_HASH_H
#define LIB_COMMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/** The hash of no bytes. */
#define COMMON_HASH_START UINT64_C(0xcbf29ce484222325)

/** Goes on with more bytes: FNV-1a, 64 bits. */
static inline uint64_t common_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
