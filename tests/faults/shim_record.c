/*
 * The record of a run: the operations that change files, in their order, each as a
 * header and then its two paths and its data. A file is its number on the file system,
 * because descriptors are copied and files are renamed.
 */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/shim.h"

/* tests/faults/power_loss.py reads this layout. offset is also a size, or flags. */
typedef struct header {
    uint64_t operation, file, offset, path, other, data;
} header;

static int record = -1;

void fault_record_start(void)
{
    const char *path = getenv("FAULTS_RECORD");
    if (!path)
        return;
    record = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (record < 0)
        abort();
}

/* One call of writev(), which this library does not replace. */
static void append(header h, const char *path, const char *other, const void *data)
{
    struct iovec parts[] = {{&h, sizeof(h)},
                            {(void *)path, h.path},
                            {(void *)other, h.other},
                            {(void *)data, h.data}};
    size_t size = sizeof(h) + h.path + h.other + h.data;
    if (writev(record, parts, 4) != (ssize_t)size)
        abort();
}

static uint64_t number_of(int file)
{
    static int (*real)(int, struct stat *);
    struct stat facts;
    if (!real)
        *(void **)&real = fault_real("fstat");
    return file >= 0 && real(file, &facts) == 0 ? facts.st_ino : 0;
}

void fault_record(fault_operation operation, int file, const char *path,
                  const char *other, off_t size)
{
    if (record < 0)
        return;
    append((header){.operation = operation,
                    .file = number_of(file),
                    .offset = (uint64_t)size,
                    .path = path ? strlen(path) : 0,
                    .other = other ? strlen(other) : 0},
           path, other, NULL);
}

void fault_record_open(int file, const char *path, int flags)
{
    if (file >= 0 && flags & (O_CREAT | O_TRUNC))
        fault_record(FAULT_OPENED, file, path, NULL, flags & O_TRUNC);
}

void fault_record_write(int file, const void *data, ssize_t size, off_t offset)
{
    static off_t (*real)(int, off_t, int);
    if (record < 0 || size <= 0)
        return;
    if (!real)
        *(void **)&real = fault_real("lseek");
    int error = errno;
    off_t end = offset < 0 ? real(file, 0, SEEK_CUR) : offset + size;
    errno = error;
    /* A pipe or a terminal has no position. */
    if (end >= 0)
        append((header){.operation = FAULT_WRITTEN,
                        .file = number_of(file),
                        .offset = (uint64_t)(end - size),
                        .data = (uint64_t)size},
               NULL, NULL, data);
}
