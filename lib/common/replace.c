#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/memory.h"
#include "lib/common/replace.h"

static void forget(common_replacement *replacement)
{
    common_free(replacement->path);
    common_free(replacement->folder);
    common_free(replacement->temporary);
    *replacement = (common_replacement){0};
}

/* The folder that contains path. */
static char *folder_name(const char *path)
{
    size_t size = common_folder_size(path);
    char *folder = common_strdup(size ? path : ".");
    if (folder && size)
        folder[size > 1 ? size - 1 : 1] = '\0';
    return folder;
}

/* The number of an attempt to find a free name. After the first one it cannot be
 * guessed, so that nobody can occupy all names. */
static unsigned attempt_number(unsigned attempt)
{
    struct timespec now = {0};
    if (attempt == 0)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)now.tv_nsec + attempt;
}

/* Closes what is open; returns the errno of the file. */
static int close_files(common_replacement *replacement)
{
    const common_file_calls *calls = common_file_get_calls();
    int error = 0;
    if (replacement->file >= 0 && calls->close(replacement->file))
        error = errno;
    if (replacement->lock >= 0)
        calls->close(replacement->lock);
    replacement->file = replacement->lock = COMMON_NO_FILE;
    return error;
}

/* Locks the temporary file, so that other replacements do not remove it. EEXIST means
 * that one of them was faster. On file systems without locks no replacement removes
 * temporary files, so that none is needed. */
static int lock_file(common_replacement *replacement)
{
    const common_file_calls *calls = common_file_get_calls();
    struct stat facts, named;
    while (calls->flock(replacement->file, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            return EEXIST;
        if (errno != EINTR)
            return 0;
    }
    if (calls->stat(replacement->temporary, &named))
        return errno == ENOENT ? EEXIST : errno;
    if (calls->fstat(replacement->file, &facts))
        return errno;
    return common_same_file(&facts, &named) ? 0 : EEXIST;
}

/* Opens a new temporary file. A second descriptor shares its lock: the first one is
 * closed before the rename, because closing may report a failed write. */
static int open_temporary(common_replacement *replacement, mode_t mode)
{
    const common_file_calls *calls = common_file_get_calls();
    replacement->file =
        calls->open(replacement->temporary,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (replacement->file < 0)
        return errno;
    int error = lock_file(replacement);
    if (!error) {
        replacement->lock = calls->dup(replacement->file);
        error = replacement->lock < 0 ? errno : 0;
    }
    if (!error)
        return 0;
    /* After EEXIST the name belongs to another replacement, or soon will. */
    if (error != EEXIST)
        calls->unlink(replacement->temporary);
    close_files(replacement);
    return error;
}

/* Opens a temporary file with a name that is free. */
static int open_free(common_replacement *replacement, mode_t mode)
{
    enum { ATTEMPTS = 100 };
    int error = EEXIST;
    for (unsigned i = 0; error == EEXIST && i < ATTEMPTS; i++) {
        common_free(replacement->temporary);
        replacement->temporary =
            common_temporary_name(replacement->path, attempt_number(i));
        error = replacement->temporary ? open_temporary(replacement, mode) : ENOMEM;
    }
    return error;
}

/* Gives the new file the owner, the group and the mode of the old one. A process may
 * not be allowed to keep owner or group; if the group is another one, it gets no more
 * than everybody has. */
static int keep_mode(const common_replacement *replacement, const struct stat *old)
{
    const common_file_calls *calls = common_file_get_calls();
    const mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
    mode_t mode = old->st_mode & all;
    struct stat facts;
    if (calls->fstat(replacement->file, &facts))
        return errno;
    bool differs = facts.st_uid != old->st_uid || facts.st_gid != old->st_gid;
    if (differs && calls->fchown(replacement->file, old->st_uid, old->st_gid) &&
        facts.st_gid != old->st_gid &&
        calls->fchown(replacement->file, (uid_t)-1, old->st_gid))
        mode = (mode & ~(mode_t)S_IRWXG) | (mode & S_IRWXO) << 3;
    if ((facts.st_mode & all) == mode)
        return 0;
    return calls->fchmod(replacement->file, mode) ? errno : 0;
}

/* All allocations are done first, because nothing may fail for lack of memory after
 * the rename. */
static int begin(common_replacement *replacement, const char *path)
{
    struct stat old;
    int error = common_target_find(&replacement->path, path, &old);
    if (error)
        return error;
    replacement->folder = folder_name(replacement->path);
    if (!replacement->folder)
        return ENOMEM;
    common_leftovers_remove(replacement->path);
    error = open_free(replacement, old.st_mode ? S_IRUSR | S_IWUSR : 0666);
    if (error || !old.st_mode)
        return error;
    error = keep_mode(replacement, &old);
    if (error)
        common_replace_abandon(replacement);
    return error;
}

int common_replace_begin(common_replacement *replacement, const char *path)
{
    *replacement = (common_replacement){.file = COMMON_NO_FILE, .lock = COMMON_NO_FILE};
    int error = begin(replacement, path);
    if (error)
        forget(replacement);
    return error;
}

int common_replace_write(common_replacement *replacement, const void *data, size_t size)
{
    const char *next = data;
    while (size > 0) {
        ssize_t written = common_file_get_calls()->write(replacement->file, next, size);
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
    const common_file_calls *calls = common_file_get_calls();
    int file = common_file_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return errno == EACCES ? 0 : errno;
    int error = calls->fsync(file) ? errno : 0;
    calls->close(file);
    /* Some file systems cannot sync a folder; this is not an error. */
    return error == EINVAL || error == ENOTSUP ? 0 : error;
}

int common_folder_sync(const char *path)
{
    char *folder = folder_name(path);
    int error = folder ? sync_folder(folder) : ENOMEM;
    common_free(folder);
    return error;
}

int common_replace_commit(common_replacement *replacement)
{
    const common_file_calls *calls = common_file_get_calls();
    int error = calls->fsync(replacement->file) ? errno : 0;
    int closed = calls->close(replacement->file) ? errno : 0;
    replacement->file = COMMON_NO_FILE;
    error = error ? error : closed;
    if (!error && calls->rename(replacement->temporary, replacement->path))
        error = errno;
    if (error) {
        common_replace_abandon(replacement);
        return error;
    }
    close_files(replacement);
    error = sync_folder(replacement->folder);
    forget(replacement);
    return error;
}

void common_replace_abandon(common_replacement *replacement)
{
    if (!replacement->temporary)
        return;
    common_file_get_calls()->unlink(replacement->temporary);
    close_files(replacement);
    forget(replacement);
}
