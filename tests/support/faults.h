/**
 * @file
 * File operations with injected failures.
 */
#ifndef TESTS_SUPPORT_FAULTS_H
#define TESTS_SUPPORT_FAULTS_H

#include <errno.h>
#include <fcntl.h>
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
} test_faults;

static test_faults faults;

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
    return test_fault("rename") ? -1 : rename(from, to);
}

static inline int test_unlink(const char *path)
{
    return test_fault("unlink") ? -1 : unlink(path);
}

static inline int test_stat(const char *path, struct stat *facts)
{
    return test_fault("stat") ? -1 : stat(path, facts);
}

/** Makes the operation after left others fail with an errno; all others succeed. */
static inline void test_faults_start(size_t left, int error)
{
    static const common_file_calls calls = {
        test_open,  test_fstat, test_read,   test_pread,  test_write,
        test_fsync, test_close, test_rename, test_unlink, test_stat,
    };
    faults = (test_faults){.left = left, .error = error};
    test_file_set_calls(&calls);
}

static inline void test_faults_end(void)
{
    test_file_set_calls(NULL);
}

#endif
