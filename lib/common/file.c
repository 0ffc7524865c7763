#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/memory.h"

static int call_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static const common_file_calls system_calls = {
    call_open, fstat, read, pread, write, fsync, close, rename, unlink, stat,
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

/* PATH.PID.NUMBER.tmp: no two processes use the same name, and a file that remains
 * after a crash can be recognised. */
static char *temporary_name(const char *path, unsigned number)
{
    size_t size = strlen(path) + 48;
    char *name = common_alloc(size, 1);
    if (name)
        snprintf(name, size, "%s.%ld.%u.tmp", path, (long)getpid(), number);
    return name;
}

/* The folder that contains path. */
static char *folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = common_strdup(slash ? path : ".");
    if (folder && slash)
        folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

static void forget(common_replacement *replacement)
{
    common_free(replacement->path);
    common_free(replacement->folder);
    common_free(replacement->temporary);
    *replacement = (common_replacement){0};
}

/* Only regular files may be replaced, but a rename would also replace a device or a
 * pipe. */
static int check_kind(mode_t mode)
{
    return S_ISDIR(mode) ? EISDIR : S_ISREG(mode) ? 0 : EINVAL;
}

/* 0 when path is a regular file or does not exist, else an errno. */
static int check_target(const char *path)
{
    struct stat facts;
    if (calls->stat(path, &facts))
        return errno == ENOENT ? 0 : errno;
    return check_kind(facts.st_mode);
}

int common_replace_begin(common_replacement *replacement, const char *path)
{
    enum { ATTEMPTS = 100 };
    int error = check_target(path);
    if (error) {
        *replacement = (common_replacement){0};
        return error;
    }
    /* All allocations are done first, because nothing may fail for lack of memory after
     * the rename.
     */
    *replacement = (common_replacement){
        .file = -1, .path = common_strdup(path), .folder = folder_name(path)};
    error = replacement->path && replacement->folder ? EEXIST : ENOMEM;
    for (unsigned i = 0; error == EEXIST && i < ATTEMPTS; i++) {
        common_free(replacement->temporary);
        replacement->temporary = temporary_name(path, i);
        if (!replacement->temporary) {
            error = ENOMEM;
            break;
        }
        replacement->file = calls->open(replacement->temporary,
                                        O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        error = replacement->file < 0 ? errno : 0;
    }
    if (error)
        forget(replacement);
    return error;
}

int common_replace_write(common_replacement *replacement, const void *data, size_t size)
{
    const char *next = data;
    while (size > 0) {
        ssize_t written = calls->write(replacement->file, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : EIO;
        next += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Syncs the folder, which makes the rename durable. */
static int sync_folder(const char *folder)
{
    int file = calls->open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0)
        return errno;
    int error = calls->fsync(file) ? errno : 0;
    calls->close(file);
    /* Some file systems cannot sync a folder; this is not an error. */
    return error == EINVAL || error == ENOTSUP ? 0 : error;
}

int common_replace_commit(common_replacement *replacement)
{
    int error = calls->fsync(replacement->file) ? errno : 0;
    if (calls->close(replacement->file) && !error)
        error = errno;
    replacement->file = -1;
    if (!error && calls->rename(replacement->temporary, replacement->path))
        error = errno;
    if (error) {
        common_replace_abandon(replacement);
        return error;
    }
    error = sync_folder(replacement->folder);
    forget(replacement);
    return error;
}

void common_replace_abandon(common_replacement *replacement)
{
    if (!replacement->temporary)
        return;
    if (replacement->file >= 0)
        calls->close(replacement->file);
    calls->unlink(replacement->temporary);
    forget(replacement);
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
        error = check_kind(facts.st_mode);
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
