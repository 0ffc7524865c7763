#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/memory.h"
#include "lib/mnist/download.h"
#include "lib/mnist/status.h"
#include "lib/mnist/transfer.h"

enum { DEFAULT_SECONDS = 600 };

double mnist_download_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void mnist_download_start(mnist_download_request *request, size_t seconds)
{
    request->seconds = seconds ? seconds : DEFAULT_SECONDS;
    request->deadline = mnist_download_clock() + (double)request->seconds;
}

/* Preserves errno. */
static bool is_folder(const char *path)
{
    int saved = errno;
    struct stat facts;
    bool folder = !stat(path, &facts) && S_ISDIR(facts.st_mode);
    errno = saved;
    return folder;
}

/* Creates a folder and its parents; returns 0 or an errno. */
static int make_folder(const char *path)
{
    char *copy = common_strdup(path);
    int error = copy ? 0 : ENOMEM;
    for (char *end = copy; !error && *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char separator = *end;
        *end = '\0';
        /* The XDG base directory specification requires 0700. */
        error = mkdir(copy, 0700) && !is_folder(copy) ? errno : 0;
        *end = separator;
    }
    common_free(copy);
    return error;
}

/* Waits until no other process has the lock; returns 0 or an errno, ETIME at the end of
 * the time. Without locks, the worst case is a second download. */
static int wait_for_lock(const mnist_download_request *request, int file,
                         const char *path)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    double called = mnist_download_clock();
    while (flock(file, LOCK_EX | LOCK_NB)) {
        if (errno == ENOLCK || errno == ENOTSUP)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno;
        double now = mnist_download_clock();
        if (now >= request->deadline)
            return ETIME;
        if (request->progress && now - called >= 1) {
            request->progress(path, 0, request->file->size, request->user);
            called = now;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* Creates the folder, opens its lock file and waits for the lock; closing the file
 * unlocks. *writable becomes false if this is not allowed or there is no space. */
static mnist_status lock(const mnist_download_request *request, int *file,
                         bool *writable)
{
    char path[MNIST_PATH_SIZE];
    const char *folder = request->folder;
    int error = make_folder(folder);
    *writable = !error;
    if (error)
        return mnist_fail(error == ENOMEM ? MNIST_OUT_OF_MEMORY : MNIST_IO_ERROR,
                          "%s: cannot be created: %s", folder, strerror(error));
    snprintf(path, sizeof(path), "%s/.lock", folder);
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*file >= 0) {
        error = wait_for_lock(request, *file, path);
        if (error == ETIME)
            return mnist_fail(MNIST_IO_ERROR, "%s: another process holds it for %zu s",
                              path, request->seconds);
    } else {
        error = errno;
        *writable = error != EACCES && error != EPERM && error != EROFS &&
                    error != ENOSPC && error != EDQUOT;
    }
    return error
               ? mnist_fail(MNIST_IO_ERROR, "%s: cannot be locked: %s", path,
                            error == ELOOP ? "it is a symbolic link" : strerror(error))
               : MNIST_OK;
}

/* Downloads into memory. The reason is that there is no cache folder, or what the last
 * error says about it. */
static mnist_status into_memory(const mnist_download_request *request, char *path,
                                int *memory)
{
    enum { REASON_SIZE = 400 };
    char reason[REASON_SIZE];
    snprintf(reason, sizeof(reason), "%s",
             request->folder ? mnist_last_error() : "there is no cache folder");
    mnist_status status = mnist_transfer(request, NULL, path, memory);
    if (status == MNIST_OK)
        mnist_fail(status, "%s; %s was downloaded into memory", reason,
                   request->file->name);
    return status;
}

mnist_status mnist_download(const mnist_download_request *request,
                            char path[MNIST_PATH_SIZE], int *memory)
{
    char address[MNIST_PATH_SIZE];
    bool writable = false;
    int lock_file = COMMON_NO_FILE;
    *memory = COMMON_NO_FILE;
    if (!request->folder)
        return into_memory(request, path, memory);
    int size =
        snprintf(path, MNIST_PATH_SIZE, "%s/%s", request->folder, request->file->name);
    if (size < 0 || size >= MNIST_PATH_SIZE)
        return mnist_fail(MNIST_IO_ERROR, "%s: path is too long", request->folder);
    mnist_status status = lock(request, &lock_file, &writable);
    if (!status && access(path, F_OK) != 0)
        status = mnist_transfer(request, path, address, memory);
    else if (status == MNIST_IO_ERROR && !writable)
        status = into_memory(request, path, memory);
    if (lock_file >= 0)
        close(lock_file);
    return status;
}
