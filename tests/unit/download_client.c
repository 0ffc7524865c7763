/* Downloads a file or a data set and prints the outcome, for test_download.py.
 *
 * usage: download_client [--full] FOLDER CERTIFICATES SIZE SHA256 TIMEOUT MIRROR...
 *        download_client --open CERTIFICATES MIRROR SIZE SHA256 SIZE SHA256
 *
 * The first form downloads file.gz into a folder, into memory if it is ""; --full
 * simulates a full disk. The second form searches for a data set whose training files
 * are images-idx3.gz and labels-idx1.gz. $LIMIT is the limit in seconds of all
 * downloads. Output is three lines: the status, the message, and numbers. The numbers
 * are the calls of the progress callback, the last count, the total, the calls without
 * new data and the bytes in memory for the first form, and the calls, the images and
 * the last label for the second. Calls without new data are printed to standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mnist/download.h"
#include "lib/mnist/source.h"
#include "tests/support/common.h"

/* Exit status if the outcome cannot be written. */
enum { OUTPUT_LOST = 3 };

typedef struct seen {
    size_t calls, done, total, waits;
} seen;

static void progress(const char *file, size_t done, size_t total, void *user)
{
    seen *s = user;
    if (done == s->done) {
        fprintf(stderr, "waiting for %s\n", file);
        s->waits++;
    } else if (strstr(file, "/file.gz")) {
        *s = (seen){s->calls + 1, done, total, s->waits};
    }
}

static size_t limit_of_time(void)
{
    const char *text = getenv("LIMIT");
    return text ? (size_t)atol(text) : 0;
}

static ssize_t write_nothing(int file, const void *data, size_t size)
{
    (void)file, (void)data, (void)size;
    errno = ENOSPC;
    return -1;
}

static void fill_disk(void)
{
    static common_file_calls full_disk;
    full_disk = *common_file_get_calls();
    full_disk.write = write_nothing;
    test_file_set_calls(&full_disk);
}

static void count_calls(const char *file, size_t done, size_t total, void *user)
{
    (void)file, (void)total;
    *(size_t *)user += done > 0;
}

/* Bytes of a file in memory; 0 if there is none. */
static size_t size_of(int memory)
{
    struct stat facts;
    return memory >= 0 && fstat(memory, &facts) == 0 ? (size_t)facts.st_size : 0;
}

static int search(char **argv)
{
    const mnist_entry entry = {
        .name = "test",
        .classes = 10,
        .files = {{{"images-idx3.gz", (size_t)atol(argv[2]), argv[3], NULL},
                   {"labels-idx1.gz", (size_t)atol(argv[4]), argv[5], NULL}}},
        .mirrors = {argv[1]},
        .certificates = argv[0],
        .timeout = 1,
    };
    size_t calls = 0;
    const mnist_source source = {
        .progress = count_calls, .user = &calls, .download_seconds = limit_of_time()};
    mnist_dataset *dataset;
    mnist_status status = mnist_source_open(&dataset, &entry, &source, MNIST_TRAIN);
    size_t count = mnist_dataset_count(dataset);
    printf("%s\n%s\n%zu %zu %d\n", mnist_status_name(status), mnist_last_error(), calls,
           count, count ? mnist_dataset_label(dataset, count - 1) : 0);
    mnist_dataset_destroy(&dataset);
    return fflush(stdout) ? OUTPUT_LOST : 0;
}

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "--open") == 0)
        return search(argv + 2);
    if (argc > 1 && strcmp(argv[1], "--full") == 0) {
        fill_disk();
        argc--;
        argv++;
    }
    if (argc < 7 || argc > 9)
        return 2;
    mnist_entry entry = {
        .name = "test",
        .certificates = *argv[2] ? argv[2] : NULL,
        .timeout = atol(argv[5]),
    };
    for (int i = 6; i < argc; i++)
        entry.mirrors[i - 6] = argv[i];
    const mnist_remote file = {
        .name = "file.gz", .size = (size_t)atol(argv[3]), .sha256 = argv[4]};
    seen s = {0};
    mnist_download_request request = {.folder = *argv[1] ? argv[1] : NULL,
                                      .entry = &entry,
                                      .file = &file,
                                      .progress = progress,
                                      .user = &s};
    char path[MNIST_PATH_SIZE];
    int memory;
    mnist_download_start(&request, limit_of_time());
    mnist_status status = mnist_download(&request, path, &memory);
    printf("%s\n%s\n%zu %zu %zu %zu %zu\n", mnist_status_name(status),
           status || memory >= 0 ? mnist_last_error() : "", s.calls, s.done, s.total,
           s.waits, size_of(memory));
    return 0;
}
