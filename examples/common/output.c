#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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

/* PATH.PID.tmp. */
static char *temporary_name(const char *path)
{
    enum { ENDING = 32 };
    size_t length = strlen(path);
    char *name = malloc(length + ENDING);
    if (!name)
        return NULL;
    memcpy(name, path, length);
    snprintf(name + length, ENDING, ".%ld.tmp", (long)getpid());
    return name;
}

/* Removes a file of a program that was killed. Programs hold a lock on their temporary
 * files as long as they live. */
static void remove_unlocked(int folder, const char *name)
{
    int file = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(file);
}

/* Removes the temporary files of path that killed programs left; ignores failures. */
static void remove_leftovers(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    char *place = strdup(path);
    if (!place)
        return;
    place[name - path] = '\0';
    DIR *folder = opendir(*place ? place : ".");
    free(place);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *rest = entry->d_name + length;
        if (strncmp(entry->d_name, name, length) == 0 && *rest == '.' &&
            strcmp(rest + 1 + strspn(rest + 1, "0123456789"), ".tmp") == 0)
            remove_unlocked(dirfd(folder), entry->d_name);
    }
    closedir(folder);
}

/* Opens a file in the place of a regular file, or of none if facts is NULL. */
static bool open_temporary(output *file, const struct stat *facts)
{
    if (facts &&
        (access(file->path, W_OK) != 0 || !(file->target = realpath(file->path, NULL))))
        return false;
    const char *path = file->target ? file->target : file->path;
    char *name = temporary_name(path);
    if (!name)
        return false;
    remove_leftovers(path);
    file->stream = fopen(name, "wxe");
    if (!file->stream) {
        int error = errno;
        free(name);
        errno = error;
        return false;
    }
    file->temporary = name;
    /* A lock that fails only keeps the next program from removing the file. */
    flock(fileno(file->stream), LOCK_EX | LOCK_NB);
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
    bool written = fflush(file->stream) == 0 && !ferror(file->stream);
    /* The file has its lock until it has its name. */
    if (written && file->temporary)
        written =
            fsync(fileno(file->stream)) == 0 &&
            rename(file->temporary, file->target ? file->target : file->path) == 0;
    if (!written)
        return fail(file);
    free(file->temporary);
    file->temporary = NULL;
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0)
        return fail(file);
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
