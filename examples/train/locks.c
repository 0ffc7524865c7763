#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/train/locks.h"
#include "examples/train/paths.h"

static bool refuse(const char *path)
{
    return message_error("%s: another run uses it, expected a file of this run alone",
                         path);
}

/* 0, or the errno; EWOULDBLOCK if another process holds the lock. */
static int lock(int file)
{
    while (flock(file, LOCK_EX | LOCK_NB))
        if (errno != EINTR)
            return errno;
    return 0;
}

/* Finds out whether a path is still that of an open file: another run may have removed
 * it before it was locked. Returns 0, or an errno. */
static int compare(int file, const char *path, bool *same)
{
    struct stat facts, named;
    *same = false;
    if (fstat(file, &facts))
        return errno;
    if (lstat(path, &named))
        return errno == ENOENT ? 0 : errno;
    *same = facts.st_dev == named.st_dev && facts.st_ino == named.st_ino;
    return 0;
}

/* Opens and locks a file. Returns 0, or an errno. */
static int open_locked(const char *path, int *file)
{
    enum { ATTEMPTS = 100 };
    for (int i = 0; i < ATTEMPTS; i++) {
        *file =
            open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
        if (*file < 0)
            return errno;
        bool same = false;
        int error = lock(*file);
        if (!error)
            error = compare(*file, path, &same);
        if (same)
            return 0;
        close(*file);
        if (error)
            return error;
    }
    return EWOULDBLOCK;
}

/* Says that a file is not locked; runs without locks would replace each other's files.
 */
static bool warn(const char *path, int error)
{
    message_warning("%s: cannot be locked: %s; another run could write it at the same "
                    "time",
                    path, strerror(error));
    return true;
}

/* Whether nothing can be created in the folder of a path: then saving is refused for
 * the same reason. */
static bool is_closed(const char *path)
{
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash)
        slash[slash == folder] = '\0';
    bool closed = folder && access(slash ? folder : ".", W_OK | X_OK);
    free(folder);
    return closed;
}

bool locks_take(train_locks *locks, const char *path)
{
    char *name = paths_beside(path, ".lock");
    struct train_lock *next = &locks->held[locks->count];
    int error = name ? open_locked(name, &next->file) : ENOMEM;
    if (error) {
        bool closed = name && is_closed(name);
        free(name);
        return error == EWOULDBLOCK ? refuse(path) : closed || warn(path, error);
    }
    next->path = name;
    locks->count++;
    return true;
}

void locks_release(train_locks *locks)
{
    for (; locks->count > 0; locks->count--) {
        struct train_lock *last = &locks->held[locks->count - 1];
        struct stat facts;
        bool same = false;
        /* Not what has taken its name, and not a file that somebody has written. */
        if (compare(last->file, last->path, &same) == 0 && same &&
            fstat(last->file, &facts) == 0 && facts.st_size == 0)
            unlink(last->path);
        close(last->file);
        free(last->path);
    }
}

bool locks_take_open(int file, const char *path)
{
    /* A resumed log is locked twice, to check it and to write it. */
    static bool said;
    int error = lock(file);
    if (error == EWOULDBLOCK)
        return refuse(path);
    return !error || said || (said = warn(path, error));
}
