/**
 * @file
 * What differs between operating systems, in one source for each of them:
 * platform_linux.c, platform_wasi.c. lib/meson.build chooses the source;
 * lib/lstm/core/processors.h is chosen in the same way.
 */
#ifndef COMMON_PLATFORM_H
#define COMMON_PLATFORM_H

#include <stddef.h>

#include "lib/common/file.h"
#include "lib/common/names.h"

/** The calls of the operating system on files. */
extern const common_file_calls common_platform_files;

/** The number of this process. */
long common_platform_process(void);

/** Alignment in bytes of an allocation of this many bytes, a power of two. */
size_t common_platform_alignment(size_t bytes);

/** Prepares memory with this alignment before its first use. */
void common_platform_prepare(void *memory, size_t bytes);

#endif
