/**
 * @file
 * The hooks of lib/common in both libraries, each of which has its own copy.
 */
#ifndef TESTS_SUPPORT_COMMON_H
#define TESTS_SUPPORT_COMMON_H

#include "lib/common/file.h"
#include "lib/common/memory.h"

/* The names of liblstm are already declared. */
void mnist_common_memory_set_hook(common_memory_hook hook, void *user);
void mnist_common_file_set_calls(const common_file_calls *calls);

/** Sets the hook that is called before every allocation; NULL removes it. */
static inline void test_memory_set_hook(common_memory_hook hook, void *user)
{
    common_memory_set_hook(hook, user);
    mnist_common_memory_set_hook(hook, user);
}

/** Replaces the table of file operations; NULL restores it. */
static inline void test_file_set_calls(const common_file_calls *calls)
{
    common_file_set_calls(calls);
    mnist_common_file_set_calls(calls);
}

#endif
