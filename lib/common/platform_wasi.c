/* WebAssembly with WASI, whose files have no owners, modes or locks, and no second
 * descriptor: files can be read, but not replaced. */
#include "lib/common/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/common/memory.h"

long common_platform_process(void)
{
    return 1;
}

size_t common_platform_alignment(size_t bytes)
{
    (void)bytes;
    return COMMON_ALIGNMENT;
}

void common_platform_prepare(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

static int call_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int refuse(void)
{
    errno = ENOTSUP;
    return -1;
}

static int call_fchown(int file, uid_t owner, gid_t group)
{
    (void)file;
    (void)owner;
    (void)group;
    return refuse();
}

static int call_fchmod(int file, mode_t mode)
{
    (void)file;
    (void)mode;
    return refuse();
}

static int call_flock(int file, int operation)
{
    (void)file;
    (void)operation;
    return refuse();
}

static int call_dup(int file)
{
    (void)file;
    return refuse();
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
    .access = access,
    .fchown = call_fchown,
    .fchmod = call_fchmod,
    .flock = call_flock,
    .dup = call_dup,
    .opendir = opendir,
    .readdir = readdir,
    .closedir = closedir,
};
