#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/common/file.h"

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

static const common_file_calls system_calls = {
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
static const common_file_calls *calls = &system_calls;

void common_file_set_calls(const common_file_calls *replacement)
{
    calls = replacement ? replacement : &system_calls;
}

const common_file_calls *common_file_get_calls(void)
{
    return calls;
}

int common_file_check_kind(mode_t mode)
{
    return S_ISDIR(mode) ? EISDIR : S_ISREG(mode) ? 0 : EINVAL;
}

int common_input_open(common_input *input, const char *path)
{
    /* O_NONBLOCK: opening a named pipe must not wait for its writer. */
    *input =
        (common_input){.file = calls->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)};
    if (input->file < 0)
        return errno;
    struct stat facts;
    int error = calls->fstat(input->file, &facts) ? errno : 0;
    if (!error)
        error = common_file_check_kind(facts.st_mode);
    if (!error && (uintmax_t)facts.st_size > SIZE_MAX)
        error = EFBIG;
    if (error)
        common_input_close(input);
    else
        input->size = (size_t)facts.st_size;
    return error;
}

int common_input_read_at(const common_input *input, void *data, size_t size,
                         size_t offset)
{
    char *next = data;
    while (size > 0) {
        ssize_t count = calls->pread(input->file, next, size, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : ENODATA;
        next += count;
        offset += (size_t)count;
        size -= (size_t)count;
    }
    return 0;
}

void common_input_close(common_input *input)
{
    calls->close(input->file);
    input->file = -1;
}
