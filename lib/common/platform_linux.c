#include "lib/common/platform.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/common/memory.h"

/* Large allocations use huge pages, which need fewer address translations: a training
 * step with 13 MB of activations takes 1 to 2% less time. */
enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 2 * HUGE_PAGE };

long common_platform_process(void)
{
    return (long)getpid();
}

size_t common_platform_alignment(size_t bytes)
{
    return bytes < HUGE_FROM ? COMMON_ALIGNMENT : HUGE_PAGE;
}

void common_platform_prepare(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (common_platform_alignment(bytes) == HUGE_PAGE)
        madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}

static int call_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

/* As the effective user, who also opens files. */
static int call_access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

static int call_dup(int file)
{
    return fcntl(file, F_DUPFD_CLOEXEC, 0);
}

const common_file_calls common_platform_files = {
    .open = call_open,
    .fstat = fstat,
    .read = read,
    .pread = pread,
    .write = write,
    .fsync = fsync,
    .close = close,
    .rename = rename,
    .unlink = unlink,
    .stat = stat,
    .readlink = readlink,
    .access = call_access,
    .fchown = fchown,
    .fchmod = fchmod,
    .flock = flock,
    .dup = call_dup,
    .opendir = opendir,
    .readdir = readdir,
    .closedir = closedir,
};
