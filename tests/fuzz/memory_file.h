/**
 * @file
 * Files in memory for harnesses of parsers that open paths: the table of file calls
 * that lib/common uses. A path names a file by its first character, "0" or "1".
 */
#ifndef TESTS_FUZZ_MEMORY_FILE_H
#define TESTS_FUZZ_MEMORY_FILE_H

#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/common.h"

enum { FUZZ_FILES = 2, FUZZ_FIRST_HANDLE = 1000 };

typedef struct fuzz_file {
    const uint8_t *data;
    size_t size, next;
    /** Most bytes of one read; 0 for no limit. */
    size_t piece;
    /** Whether it is a pipe, whose size is unknown. */
    bool pipe;
    int open;
} fuzz_file;

/** Not static: the linker refuses a program in which two files include this. */
fuzz_file fuzz_files[FUZZ_FILES];

static inline fuzz_file *fuzz_file_of(int handle)
{
    FUZZ_CHECK(handle >= FUZZ_FIRST_HANDLE && handle < FUZZ_FIRST_HANDLE + FUZZ_FILES);
    return &fuzz_files[handle - FUZZ_FIRST_HANDLE];
}

static inline int fuzz_open(const char *path, int flags, mode_t mode)
{
    (void)flags, (void)mode;
    int index = path[0] - '0';
    if (index < 0 || index >= FUZZ_FILES || !fuzz_files[index].data) {
        errno = ENOENT;
        return -1;
    }
    fuzz_files[index].next = 0;
    fuzz_files[index].open++;
    return FUZZ_FIRST_HANDLE + index;
}

static inline int fuzz_fstat(int handle, struct stat *facts)
{
    const fuzz_file *file = fuzz_file_of(handle);
    memset(facts, 0, sizeof(*facts));
    facts->st_mode = file->pipe ? S_IFIFO : S_IFREG;
    facts->st_size = file->pipe ? 0 : (off_t)file->size;
    return 0;
}

static inline ssize_t fuzz_pread(int handle, void *data, size_t size, off_t offset)
{
    const fuzz_file *file = fuzz_file_of(handle);
    size_t from = (size_t)offset < file->size ? (size_t)offset : file->size;
    size_t count = size < file->size - from ? size : file->size - from;
    if (file->piece && count > file->piece)
        count = file->piece;
    memcpy(data, file->data + from, count);
    return (ssize_t)count;
}

static inline ssize_t fuzz_read(int handle, void *data, size_t size)
{
    fuzz_file *file = fuzz_file_of(handle);
    ssize_t count = fuzz_pread(handle, data, size, (off_t)file->next);
    file->next += (size_t)count;
    return count;
}

static inline int fuzz_close(int handle)
{
    fuzz_file_of(handle)->open--;
    return 0;
}

static inline int fuzz_stat(const char *path, struct stat *facts)
{
    int index = path[0] - '0';
    if (index >= 0 && index < FUZZ_FILES && fuzz_files[index].data)
        return fuzz_fstat(FUZZ_FIRST_HANDLE + index, facts);
    errno = ENOENT;
    return -1;
}

/* No file is a symbolic link. */
static inline ssize_t fuzz_readlink(const char *path, char *text, size_t size)
{
    (void)path;
    (void)text;
    (void)size;
    errno = EINVAL;
    return -1;
}

/** Makes the parser read these files; those without data do not exist. */
static inline void fuzz_files_start(void)
{
    static const common_file_calls calls = {
        .open = fuzz_open,
        .fstat = fuzz_fstat,
        .read = fuzz_read,
        .pread = fuzz_pread,
        .close = fuzz_close,
        .stat = fuzz_stat,
        .readlink = fuzz_readlink,
    };
    memset(fuzz_files, 0, sizeof(fuzz_files));
    test_file_set_calls(&calls);
}

/** Checks that the parser has closed all files. */
static inline void fuzz_files_end(void)
{
    for (int i = 0; i < FUZZ_FILES; i++)
        FUZZ_CHECK(fuzz_files[i].open == 0);
    test_file_set_calls(NULL);
}

#endif
