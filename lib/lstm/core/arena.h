/**
 * @file
 * Many buffers in one allocation. The code that takes the buffers runs twice: first
 * without memory, to compute the size, then with memory, to assign addresses.
 */
#ifndef LSTM_CORE_ARENA_H
#define LSTM_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/common/memory.h"

/** Memory from which buffers are taken; with start NULL it only counts bytes. */
typedef struct lstm_arena {
    char *start;
    /** Bytes taken; stays SIZE_MAX after an overflow. */
    size_t used;
} lstm_arena;

/** Takes a buffer of count times size bytes, with the alignment of allocations. */
static inline void *lstm_arena_take(lstm_arena *arena, size_t count, size_t size)
{
    void *buffer = arena->start ? arena->start + arena->used : NULL;
    size_t bytes, used;
    if (common_multiply(count, size, &bytes) &&
        common_add(bytes, COMMON_ALIGNMENT - 1, &bytes) &&
        common_add(arena->used, bytes / COMMON_ALIGNMENT * COMMON_ALIGNMENT, &used))
        arena->used = used;
    else
        arena->used = SIZE_MAX;
    return buffer;
}

#endif
