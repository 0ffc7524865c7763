#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/output.h"

static bool fail(output *file)
{
    message_error("%s: %s", file->path, message_errno());
    output_abandon(file);
    return false;
}

/* PATH.PID.tmp, as the library names its temporary files. */
static char *temporary_name(const char *path)
{
    size_t size = strlen(path) + 32;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s.%ld.tmp", path, (long)getpid());
    return name;
}

/* Opens a file in the place of a regular file, or of none if facts is NULL. */
static bool open_temporary(output *file, const struct stat *facts)
{
    if (facts &&
        (access(file->path, W_OK) != 0 || !(file->target = realpath(file->path, NULL))))
        return false;
    char *name = temporary_name(file->target ? file->target : file->path);
    if (!name)
        return false;
    file->stream = fopen(name, "wxe");
    if (!file->stream) {
        int error = errno;
        free(name);
        errno = error;
        return false;
    }
    file->temporary = name;
    return !facts || fchmod(fileno(file->stream), facts->st_mode & 0777) == 0;
}

bool output_open(output *file, const char *path)
{
    struct stat facts;
    *file = (output){.path = path};
    bool exists = stat(path, &facts) == 0;
    if (!exists && errno != ENOENT)
        return fail(file);
    if (!exists || S_ISREG(facts.st_mode))
        return open_temporary(file, exists ? &facts : NULL) || fail(file);
    file->stream = fopen(path, "we");
    return file->stream || fail(file);
}

bool output_commit(output *file)
{
    bool written = fflush(file->stream) == 0 && !ferror(file->stream) &&
                   (!file->temporary || fsync(fileno(file->stream)) == 0);
    if (!written)
        return fail(file);
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0 ||
        (file->temporary &&
         rename(file->temporary, file->target ? file->target : file->path) != 0))
        return fail(file);
    free(file->temporary);
    file->temporary = NULL;
    output_abandon(file);
    return true;
}

void output_abandon(output *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->target);
    *file = (output){0};
}
