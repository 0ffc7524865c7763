#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "lib/common/file.h"

static bool fail(output *file)
{
    message_error("%s: %s", *file->path ? file->path : "''",
                  message_write_reason(file->path));
    output_abandon(file);
    return false;
}

/* Whether path is a device, a pipe or a folder. */
static bool is_special(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode);
}

bool output_same_file(const char *one, const char *other)
{
    struct stat a, b;
    return one && other && stat(one, &a) == 0 && stat(other, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool output_is_apart(const char *path)
{
    struct stat file, standard;
    /* Nobody reads a terminal or /dev/null as a file. */
    if (stat(path, &file) || fstat(STDOUT_FILENO, &standard) ||
        S_ISCHR(standard.st_mode) || file.st_dev != standard.st_dev ||
        file.st_ino != standard.st_ino)
        return true;
    return message_error("%s: is standard output, which has other lines, expected "
                         "another file",
                         path);
}

/* Begins the replacement; false with errno set. */
static bool begin(output *file)
{
    common_replacement *replacement = malloc(sizeof(*replacement));
    if (!replacement)
        return false;
    errno = common_replace_begin(replacement, file->path);
    if (errno) {
        free(replacement);
        return false;
    }
    file->replacement = replacement;
    /* The replacement closes its own descriptor. */
    int copy = fcntl(replacement->file, F_DUPFD_CLOEXEC, 0);
    file->stream = copy < 0 ? NULL : fdopen(copy, "w");
    if (copy >= 0 && !file->stream) {
        int error = errno;
        close(copy);
        errno = error;
    }
    return file->stream;
}

bool output_open(output *file, const char *path)
{
    *file = (output){.path = path};
    if (!output_is_apart(path))
        return false;
    if (!is_special(path))
        return begin(file) || fail(file);
    file->stream = fopen(path, "we");
    return file->stream || fail(file);
}

bool output_check(const char *path)
{
    output file = {.path = path};
    struct stat facts;
    if (!output_is_apart(path))
        return false;
    if (!is_special(path)) {
        if (!output_open(&file, path))
            return false;
        output_abandon(&file);
        return true;
    }
    bool folder = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
    if (!folder && access(path, W_OK) == 0)
        return true;
    if (folder)
        errno = EISDIR;
    return fail(&file);
}

/* Closes the stream; false, with errno set, if not all of it was written. */
static bool close_stream(output *file)
{
    FILE *stream = file->stream;
    bool written = fflush(stream) == 0 && !ferror(stream);
    int error = errno;
    file->stream = NULL;
    if (fclose(stream) != 0 && written)
        return false;
    errno = error;
    return written;
}

bool output_commit(output *file)
{
    if (!close_stream(file))
        return fail(file);
    errno = file->replacement ? common_replace_commit(file->replacement) : 0;
    if (errno)
        return fail(file);
    output_abandon(file);
    return true;
}

void output_abandon(output *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->replacement)
        common_replace_abandon(file->replacement);
    free(file->replacement);
    *file = (output){0};
}

bool output_sync(FILE *stream)
{
    if (fflush(stream))
        return false;
    /* Pipes and some file systems cannot sync. */
    return fsync(fileno(stream)) == 0 || errno == EINVAL || errno == ENOTSUP ||
           errno == EROFS;
}

bool output_sync_new(FILE *stream, const char *path)
{
    if (!output_sync(stream))
        return false;
    errno = is_special(path) ? 0 : common_folder_sync(path);
    return errno == 0;
}
