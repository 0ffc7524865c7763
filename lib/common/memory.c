#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/common/platform.h"

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
    /* The size is a multiple of a cache line, and at least one cache line. */
    padded = padded / COMMON_ALIGNMENT * COMMON_ALIGNMENT;
    void *memory;
    if (posix_memalign(&memory, common_platform_alignment(bytes), padded))
        return NULL;
    common_platform_prepare(memory, bytes);
    return memset(memory, 0, padded);
}

void common_free(void *memory)
{
    free(memory);
}

char *common_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = common_alloc_bytes(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void common_memory_set_hook(common_memory_hook hook, void *user)
{
    memory_hook = hook;
    memory_user = user;
}
