/**
 * @file
 * Many buffers in one allocation: laid out once to measure, once more to place them.
 */
#ifndef LSTM_CORE_ARENA_H
#define LSTM_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/common/memory.h"

/** Hands out memory piece by piece; with start NULL it only counts. */
typedef struct lstm_arena {
    char *start;
    /** SIZE_MAX, and it stays that, when the number of bytes overflows. */
    size_t used;
} lstm_arena;

/** The next piece, count times size bytes, aligned as an allocation is. */
static inline void *lstm_arena_take(lstm_arena *arena, size_t count, size_t size)
{
    void *piece = arena->start ? arena->start + arena->used : NULL;
    size_t bytes, used;
    if (common_multiply(count, size, &bytes) &&
        common_add(bytes, COMMON_ALIGNMENT - 1, &bytes) &&
        common_add(arena->used, bytes / COMMON_ALIGNMENT * COMMON_ALIGNMENT, &used))
        arena->used = used;
    else
        arena->used = SIZE_MAX;
    return piece;
}

#endif
