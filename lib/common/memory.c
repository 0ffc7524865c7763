#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"

static common_memory_hook memory_hook;
static void *memory_user;

void *common_alloc(size_t count, size_t size)
{
    size_t bytes, padded;
    if (!common_multiply(count, size, &bytes) ||
        !common_add(bytes, COMMON_ALIGNMENT, &padded))
        return NULL;
    if (memory_hook && !memory_hook(bytes, memory_user))
        return NULL;
    /* aligned_alloc wants a multiple of the alignment, and 0 bytes need an address. */
    padded = padded / COMMON_ALIGNMENT * COMMON_ALIGNMENT;
    void *memory = aligned_alloc(COMMON_ALIGNMENT, padded);
    if (memory)
        memset(memory, 0, padded);
    return memory;
}

void common_free(void *memory)
{
    free(memory);
}

char *common_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = common_alloc(size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

void common_memory_set_hook(common_memory_hook hook, void *user)
{
    memory_hook = hook;
    memory_user = user;
}
