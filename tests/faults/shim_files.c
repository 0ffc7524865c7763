/* System calls that fail. Each function has all the names that compilers choose for it:
 * those for large files and for checked buffers. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/shim.h"

/* Declares real, the function with this name after this library. */
#define REAL(name)                                                                     \
    static __typeof__(name) *real;                                                     \
    if (!real)                                                                         \
    *(void **)&real = fault_real(#name)

/* Defines a function that fails. */
#define FAILING(class, type, failure, name, parameters, arguments)                     \
    type name parameters;                                                              \
    type name parameters                                                               \
    {                                                                                  \
        REAL(name);                                                                    \
        return fault_fails(class, #name) ? failure : real arguments;                   \
    }

/* Defines a function that opens a file, with a mode if it creates one. */
#define OPENING(name, parameters, arguments)                                           \
    int name parameters                                                                \
    {                                                                                  \
        REAL(name);                                                                    \
        va_list rest;                                                                  \
        va_start(rest, flags);                                                         \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;      \
        va_end(rest);                                                                  \
        int file = fault_fails(FAULT_OPEN, #name) ? -1 : real arguments;               \
        fault_record_open(file, path, flags);                                          \
        return file;                                                                   \
    }

OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENING(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))
FAILING(FAULT_OPEN, int, -1, __open_2, (const char *path, int flags), (path, flags))
FAILING(FAULT_OPEN, int, -1, __open64_2, (const char *path, int flags), (path, flags))
FAILING(FAULT_OPEN, DIR *, NULL, opendir, (const char *path), (path))
FAILING(FAULT_OPEN, DIR *, NULL, fdopendir, (int file), (file))
FAILING(FAULT_OPEN, int, -1, mkstemp, (char *path), (path))
FAILING(FAULT_OPEN, int, -1, mkstemp64, (char *path), (path))
FAILING(FAULT_OPEN, int, -1, mkostemp, (char *path, int flags), (path, flags))
FAILING(FAULT_OPEN, int, -1, mkostemp64, (char *path, int flags), (path, flags))

/* Bytes that a call may transfer: -1 if it fails with errno set, half of them if it is
 * short. */
static ssize_t allowed(fault_class class, const char *name, int file, size_t size)
{
    if (file == STDERR_FILENO || !fault_hits(class, name))
        return (ssize_t)size;
    if (fault_error() == 0)
        return (ssize_t)(size - size / 2);
    errno = fault_error();
    return -1;
}

/* Defines a function that reads or writes size bytes. */
#define MOVING(class, name, parameters, arguments)                                     \
    ssize_t name parameters;                                                           \
    ssize_t name parameters                                                            \
    {                                                                                  \
        REAL(name);                                                                    \
        ssize_t part = allowed(class, #name, file, size);                              \
        size = (size_t)part;                                                           \
        return part < 0 ? -1 : real arguments;                                         \
    }

MOVING(FAULT_READ, read, (int file, void *data, size_t size), (file, data, size))
MOVING(FAULT_READ, __read_chk, (int file, void *data, size_t size, size_t room),
       (file, data, size, room))
MOVING(FAULT_READ, pread, (int file, void *data, size_t size, off_t offset),
       (file, data, size, offset))
MOVING(FAULT_READ, pread64, (int file, void *data, size_t size, off64_t offset),
       (file, data, size, offset))
MOVING(FAULT_READ, __pread_chk,
       (int file, void *data, size_t size, off_t offset, size_t room),
       (file, data, size, offset, room))
MOVING(FAULT_READ, __pread64_chk,
       (int file, void *data, size_t size, off64_t offset, size_t room),
       (file, data, size, offset, room))

/* Defines a function that writes, and records it. */
#define WRITING(name, parameters, arguments, offset)                                   \
    ssize_t name parameters                                                            \
    {                                                                                  \
        REAL(name);                                                                    \
        ssize_t part = allowed(FAULT_WRITE, #name, file, size);                        \
        size = (size_t)part;                                                           \
        part = part < 0 ? -1 : real arguments;                                         \
        fault_record_write(file, data, part, offset);                                  \
        return part;                                                                   \
    }

WRITING(write, (int file, const void *data, size_t size), (file, data, size), -1)
WRITING(pwrite, (int file, const void *data, size_t size, off_t offset),
        (file, data, size, offset), offset)
WRITING(pwrite64, (int file, const void *data, size_t size, off64_t offset),
        (file, data, size, offset), offset)

/* Defines a function that fails or changes a file, which is recorded. */
#define CHANGING(class, name, parameters, arguments, operation, file, path, other,     \
                 size)                                                                 \
    int name parameters                                                                \
    {                                                                                  \
        REAL(name);                                                                    \
        int failed = fault_fails(class, #name) ? -1 : real arguments;                  \
        if (!failed)                                                                   \
            fault_record(operation, file, path, other, size);                          \
        return failed;                                                                 \
    }

CHANGING(FAULT_SYNC, fsync, (int file), (file), FAULT_SYNCED, file, NULL, NULL, 0)
CHANGING(FAULT_SYNC, fdatasync, (int file), (file), FAULT_SYNCED, file, NULL, NULL, 0)

/* A close that fails has closed the file, as on Linux. */
int close(int file)
{
    REAL(close);
    int failed = real(file);
    return fault_fails(FAULT_CLOSE, "close") ? -1 : failed;
}

CHANGING(FAULT_RENAME, rename, (const char *from, const char *to), (from, to),
         FAULT_RENAMED, -1, from, to, 0)
FAILING(FAULT_RENAME, int, -1, link, (const char *from, const char *to), (from, to))
FAILING(FAULT_RENAME, int, -1, symlink, (const char *from, const char *to), (from, to))
FAILING(FAULT_RENAME, int, -1, renameat,
        (int a, const char *from, int b, const char *to), (a, from, b, to))
FAILING(FAULT_RENAME, int, -1, renameat2,
        (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags))
FAILING(FAULT_RENAME, int, -1, linkat,
        (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags))

CHANGING(FAULT_UNLINK, unlink, (const char *path), (path), FAULT_UNLINKED, -1, path,
         NULL, 0)
FAILING(FAULT_UNLINK, int, -1, unlinkat, (int at, const char *path, int flags),
        (at, path, flags))
FAILING(FAULT_UNLINK, int, -1, remove, (const char *path), (path))
FAILING(FAULT_UNLINK, int, -1, rmdir, (const char *path), (path))

FAILING(FAULT_STAT, int, -1, stat, (const char *path, struct stat *facts),
        (path, facts))
FAILING(FAULT_STAT, int, -1, stat64, (const char *path, struct stat64 *facts),
        (path, facts))
FAILING(FAULT_STAT, int, -1, lstat, (const char *path, struct stat *facts),
        (path, facts))
FAILING(FAULT_STAT, int, -1, lstat64, (const char *path, struct stat64 *facts),
        (path, facts))
FAILING(FAULT_STAT, int, -1, fstat, (int file, struct stat *facts), (file, facts))
FAILING(FAULT_STAT, int, -1, fstat64, (int file, struct stat64 *facts), (file, facts))
FAILING(FAULT_STAT, int, -1, fstatat,
        (int at, const char *path, struct stat *facts, int flags),
        (at, path, facts, flags))
FAILING(FAULT_STAT, int, -1, fstatat64,
        (int at, const char *path, struct stat64 *facts, int flags),
        (at, path, facts, flags))
FAILING(FAULT_STAT, int, -1, access, (const char *path, int mode), (path, mode))
FAILING(FAULT_STAT, int, -1, faccessat, (int at, const char *path, int mode, int flags),
        (at, path, mode, flags))
FAILING(FAULT_STAT, char *, NULL, realpath, (const char *path, char *resolved),
        (path, resolved))
FAILING(FAULT_STAT, ssize_t, -1, readlink, (const char *path, char *text, size_t size),
        (path, text, size))
FAILING(FAULT_STAT, char *, NULL, getcwd, (char *path, size_t size), (path, size))

FAILING(FAULT_OWNER, int, -1, fchmod, (int file, mode_t mode), (file, mode))
FAILING(FAULT_OWNER, int, -1, chmod, (const char *path, mode_t mode), (path, mode))
FAILING(FAULT_OWNER, int, -1, fchown, (int file, uid_t user, gid_t group),
        (file, user, group))
FAILING(FAULT_OWNER, int, -1, chown, (const char *path, uid_t user, gid_t group),
        (path, user, group))
FAILING(FAULT_OWNER, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
FAILING(FAULT_OWNER, int, -1, flock, (int file, int operation), (file, operation))

CHANGING(FAULT_TRUNCATE, ftruncate, (int file, off_t size), (file, size), FAULT_RESIZED,
         file, NULL, NULL, size)
CHANGING(FAULT_TRUNCATE, ftruncate64, (int file, off64_t size), (file, size),
         FAULT_RESIZED, file, NULL, NULL, size)
FAILING(FAULT_TRUNCATE, off_t, -1, lseek, (int file, off_t offset, int whence),
        (file, offset, whence))
FAILING(FAULT_TRUNCATE, off64_t, -1, lseek64, (int file, off64_t offset, int whence),
        (file, offset, whence))

FAILING(FAULT_MAP, void *, MAP_FAILED, mmap,
        (void *at, size_t size, int protection, int flags, int file, off_t offset),
        (at, size, protection, flags, file, offset))
FAILING(FAULT_MAP, void *, MAP_FAILED, mmap64,
        (void *at, size_t size, int protection, int flags, int file, off64_t offset),
        (at, size, protection, flags, file, offset))

/* Random numbers are the same in each run. */
ssize_t getrandom(void *data, size_t size, unsigned flags)
{
    (void)flags;
    if (fault_fails(FAULT_RANDOM, "getrandom"))
        return -1;
    memset(data, 7, size);
    return (ssize_t)size;
}

/* Returns the error. */
int pthread_create(pthread_t *thread, const pthread_attr_t *options,
                   void *(*function)(void *), void *user)
{
    REAL(pthread_create);
    return fault_fails(FAULT_THREAD, "pthread_create")
               ? fault_error()
               : real(thread, options, function, user);
}
