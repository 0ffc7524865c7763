/* Downloads file.gz into a folder and prints the outcome, for test_download.py.
 *
 * usage: download_client [--full] FOLDER CERTIFICATES SIZE SHA256 PATIENCE MIRROR...
 *
 * With --full the disk is full. Prints three lines: the status, the message, and what
 * the progress callback saw: its calls, the last count and the total. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/mnist/download.h"

typedef struct seen {
    size_t calls, done, total;
} seen;

static void progress(const char *file, size_t done, size_t total, void *user)
{
    seen *s = user;
    if (strcmp(file, "file.gz") == 0 && done >= s->done)
        *s = (seen){s->calls + 1, done, total};
}

static int open_as_usual(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static ssize_t write_nothing(int file, const void *data, size_t size)
{
    (void)file, (void)data, (void)size;
    errno = ENOSPC;
    return -1;
}

static const common_file_calls full_disk = {
    .open = open_as_usual,
    .fstat = fstat,
    .read = read,
    .write = write_nothing,
    .fsync = fsync,
    .close = close,
    .rename = rename,
    .unlink = unlink,
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--full") == 0) {
        common_file_set_calls(&full_disk);
        argc--;
        argv++;
    }
    if (argc < 7 || argc > 9)
        return 2;
    mnist_entry entry = {
        .name = "test",
        .certificates = *argv[2] ? argv[2] : NULL,
        .patience = atol(argv[5]),
    };
    for (int i = 6; i < argc; i++)
        entry.mirrors[i - 6] = argv[i];
    const mnist_remote file = {"file.gz", (size_t)atol(argv[3]), argv[4]};
    seen s = {0};
    mnist_status status = mnist_download(argv[1], &entry, &file, progress, &s);
    printf("%s\n%s\n%zu %zu %zu\n", mnist_status_name(status),
           status ? mnist_last_error() : "", s.calls, s.done, s.total);
    return 0;
}
