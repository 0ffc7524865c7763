/**
 * @file
 * File operations with injected failures.
 */
#ifndef TESTS_SUPPORT_FAULTS_H
#define TESTS_SUPPORT_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/support/common.h"
#include "tests/support/test.h"

/** State of the injected failures. */
typedef struct test_faults {
    /** Number of operations that succeed before one fails, and its errno. */
    size_t left;
    int error;
    /** Maximum number of bytes of one read or write; 0 for no limit. */
    size_t piece;
    /** Number of operations so far, and of open files. */
    size_t count, open;
    /** Name of the operation that failed; NULL if none has. */
    const char *failed;
    /** Whether a file was renamed before the failure. */
    bool renamed;
} test_faults;

/** Not static: the linker refuses a program in which two files include this. */
test_faults faults;

static inline bool test_fault(const char *name)
{
    faults.count++;
    if (faults.left-- != 0)
        return false;
    faults.failed = name;
    errno = faults.error;
    return true;
}

static inline size_t test_piece(size_t size)
{
    return faults.piece && faults.piece < size ? faults.piece : size;
}

static inline int test_open(const char *path, int flags, mode_t mode)
{
    if (test_fault("open"))
        return -1;
    int file = open(path, flags, mode);
    faults.open += file >= 0;
    return file;
}

static inline int test_fstat(int file, struct stat *facts)
{
    return test_fault("fstat") ? -1 : fstat(file, facts);
}

static inline ssize_t test_read(int file, void *data, size_t size)
{
    return test_fault("read") ? -1 : read(file, data, test_piece(size));
}

static inline ssize_t test_pread(int file, void *data, size_t size, off_t offset)
{
    return test_fault("pread") ? -1 : pread(file, data, test_piece(size), offset);
}

static inline ssize_t test_write(int file, const void *data, size_t size)
{
    return test_fault("write") ? -1 : write(file, data, test_piece(size));
}

/* Does not sync, but can fail. */
static inline int test_fsync(int file)
{
    (void)file;
    return test_fault("fsync") ? -1 : 0;
}

/* A failed close still closes the file. */
static inline int test_close(int file)
{
    faults.open--;
    return close(file) || test_fault("close") ? -1 : 0;
}

static inline int test_rename(const char *from, const char *to)
{
    if (test_fault("rename"))
        return -1;
    faults.renamed |= !faults.failed;
    return rename(from, to);
}

static inline int test_unlink(const char *path)
{
    return test_fault("unlink") ? -1 : unlink(path);
}

static inline int test_stat(const char *path, struct stat *facts)
{
    return test_fault("stat") ? -1 : stat(path, facts);
}

static inline ssize_t test_readlink(const char *path, char *text, size_t size)
{
    return test_fault("readlink") ? -1 : readlink(path, text, size);
}

static inline int test_access(const char *path, int mode)
{
    return test_fault("access") ? -1 : faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

static inline int test_fchown(int file, uid_t owner, gid_t group)
{
    return test_fault("fchown") ? -1 : fchown(file, owner, group);
}

static inline int test_fchmod(int file, mode_t mode)
{
    return test_fault("fchmod") ? -1 : fchmod(file, mode);
}

static inline int test_flock(int file, int operation)
{
    return test_fault("flock") ? -1 : flock(file, operation);
}

static inline int test_dup(int file)
{
    if (test_fault("dup"))
        return -1;
    int other = fcntl(file, F_DUPFD_CLOEXEC, 0);
    faults.open += other >= 0;
    return other;
}

static inline DIR *test_opendir(const char *path)
{
    if (test_fault("opendir"))
        return NULL;
    DIR *folder = opendir(path);
    faults.open += folder != NULL;
    return folder;
}

static inline struct dirent *test_readdir(DIR *folder)
{
    return test_fault("readdir") ? NULL : readdir(folder);
}

/* A failed closedir still closes the folder. */
static inline int test_closedir(DIR *folder)
{
    faults.open--;
    return closedir(folder) || test_fault("closedir") ? -1 : 0;
}

/** Whether a replacement of a file succeeds without this operation. */
static inline bool test_fault_is_optional(const char *name)
{
    static const char *const names[] = {"opendir", "readdir", "closedir", "flock",
                                        "fchown"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/** Makes the operation after left others fail with an errno; all others succeed. */
static inline void test_faults_start(size_t left, int error)
{
    static const common_file_calls calls = {
        .open = test_open,
        .fstat = test_fstat,
        .read = test_read,
        .pread = test_pread,
        .write = test_write,
        .fsync = test_fsync,
        .close = test_close,
        .rename = test_rename,
        .unlink = test_unlink,
        .stat = test_stat,
        .readlink = test_readlink,
        .access = test_access,
        .fchown = test_fchown,
        .fchmod = test_fchmod,
        .flock = test_flock,
        .dup = test_dup,
        .opendir = test_opendir,
        .readdir = test_readdir,
        .closedir = test_closedir,
    };
    faults = (test_faults){.left = left, .error = error};
    test_file_set_calls(&calls);
}

static inline void test_faults_end(void)
{
    test_file_set_calls(NULL);
}

#endif
