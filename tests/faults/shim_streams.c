/* Streams whose reads and writes are those of this library. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/faults/shim.h"

/* Streams and their files. A slot is the cookie of its stream. */
enum { MOST = 64 };
typedef struct slot {
    FILE *stream;
    int file;
} slot;
static slot slots[MOST];

static ssize_t stream_read(void *cookie, char *data, size_t size)
{
    return read(((slot *)cookie)->file, data, size);
}

/* Like the C library, goes on after a short write and gives up after an error. */
static ssize_t stream_write(void *cookie, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(((slot *)cookie)->file, data + done, size - done);
        if (count < 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    off_t found = lseek(((slot *)cookie)->file, *offset, whence);
    if (found < 0)
        return -1;
    *offset = found;
    return 0;
}

static int stream_close(void *cookie)
{
    slot *own = cookie;
    own->stream = NULL;
    return own->file < 0 ? 0 : close(own->file);
}

/* A stream of a file that is opened later; NULL if memory is exhausted. */
static slot *new_stream(const char *mode)
{
    static const cookie_io_functions_t functions = {stream_read, stream_write,
                                                    stream_seek, stream_close};
    for (size_t i = 0; i < MOST; i++)
        if (!slots[i].stream) {
            slots[i].file = -1;
            slots[i].stream = fopencookie(&slots[i], mode, functions);
            return slots[i].stream ? &slots[i] : NULL;
        }
    abort();
}

static FILE *stream_of(int file, const char *mode)
{
    slot *own = new_stream(mode);
    if (!own)
        return NULL;
    own->file = file;
    return own->stream;
}

void fault_streams(void)
{
    stdin = stream_of(STDIN_FILENO, "r");
    stdout = stream_of(STDOUT_FILENO, "w");
    if (!stdin || !stdout)
        abort();
}

/* Flags of open() for a mode of fopen(). */
static int flags_of(const char *mode)
{
    int more = strchr(mode, '+') != NULL;
    int flags = strchr(mode, 'e') ? O_CLOEXEC : 0;
    flags |= strchr(mode, 'x') ? O_EXCL : 0;
    if (*mode == 'r')
        return flags | (more ? O_RDWR : O_RDONLY);
    flags |= O_CREAT | (more ? O_RDWR : O_WRONLY);
    return flags | (*mode == 'w' ? O_TRUNC : O_APPEND);
}

/* Allocates the stream before it opens the file, as the C library does. */
FILE *fopen(const char *path, const char *mode)
{
    slot *own = new_stream(mode);
    if (!own)
        return NULL;
    own->file = open(path, flags_of(mode), 0666);
    if (own->file >= 0)
        return own->stream;
    int error = errno;
    fclose(own->stream);
    errno = error;
    return NULL;
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

FILE *fdopen(int file, const char *mode)
{
    return stream_of(file, mode);
}

int fileno(FILE *stream)
{
    static int (*real)(FILE *);
    if (!real)
        *(void **)&real = fault_real("fileno");
    for (size_t i = 0; i < MOST; i++)
        if (slots[i].stream == stream)
            return slots[i].file;
    return real(stream);
}

int fileno_unlocked(FILE *stream)
{
    return fileno(stream);
}
