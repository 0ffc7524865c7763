#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/memory.h"
#include "lib/mnist/download.h"
#include "lib/mnist/libraries.h"
#include "lib/mnist/status.h"

enum {
    /* Timeout of a connection, for hosts that drop packets. */
    CONNECT_SECONDS = 10,
    /* Bytes per second below which a transfer makes no progress. */
    MINIMUM_SPEED = 1000,
    MAXIMUM_REDIRECTS = 5,
    HEX_SUM = 64,
    ADDRESS_SIZE = 512,
    REASON_SIZE = 320,
    REASONS_SIZE = 880,
};

/* The download of one file. */
typedef struct transfer {
    const mnist_libraries *libraries;
    const mnist_entry *entry;
    const mnist_remote *file;
    mnist_progress progress;
    void *user;
    const char *path;
    common_replacement replacement;
    CURL *curl;
    EVP_MD_CTX *digest;
    size_t done;
    bool too_large;
    /* errno of a local failure, which another mirror cannot cure. */
    int error;
    char curl_reason[CURL_ERROR_SIZE];
    char reason[REASON_SIZE];
} transfer;

/* Write callback of libcurl: any return value other than size * count aborts the
 * transfer. */
static size_t receive(char *data, size_t size, size_t count, void *user)
{
    transfer *t = user;
    size_t bytes = size * count;
    t->too_large = bytes > t->file->size - t->done;
    if (t->too_large)
        return 0;
    t->error = common_replace_write(&t->replacement, data, bytes);
    if (t->error)
        return 0;
    t->libraries->digest_update(t->digest, data, bytes);
    t->done += bytes;
    if (t->progress)
        t->progress(t->file->name, t->done, t->file->size, t->user);
    return bytes;
}

static bool configure(transfer *t, const char *address)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = t->libraries->easy_setopt;
    CURL *curl = t->curl;
    const char *certificates = t->entry->certificates;
    return !set(curl, CURLOPT_URL, address) &&
           !set(curl, CURLOPT_PROTOCOLS_STR, "https") &&
           !set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
           !set(curl, CURLOPT_FOLLOWLOCATION, 1L) &&
           !set(curl, CURLOPT_MAXREDIRS, (long)MAXIMUM_REDIRECTS) &&
           !set(curl, CURLOPT_FAILONERROR, 1L) && !set(curl, CURLOPT_NOSIGNAL, 1L) &&
           !set(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) &&
           !set(curl, CURLOPT_LOW_SPEED_LIMIT, (long)MINIMUM_SPEED) &&
           !set(curl, CURLOPT_LOW_SPEED_TIME, t->entry->timeout) &&
           !set(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->file->size) &&
           !set(curl, CURLOPT_USERAGENT, "libmnist/" MNIST_PROJECT_VERSION) &&
           !set(curl, CURLOPT_ERRORBUFFER, t->curl_reason) &&
           !set(curl, CURLOPT_WRITEFUNCTION, receive) &&
           !set(curl, CURLOPT_WRITEDATA, t) &&
           (!certificates || !set(curl, CURLOPT_CAINFO, certificates));
}

/* Compares the SHA-256 of the received data with the expected one. */
static bool check_sum(transfer *t)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned size = 0;
    t->libraries->digest_final(t->digest, sum, &size);
    for (unsigned i = 0; i < size; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", sum[i]);
    if (strcmp(text, t->file->sha256) == 0)
        return true;
    snprintf(t->reason, REASON_SIZE, "SHA-256 is %.*s, expected %s", HEX_SUM, text,
             t->file->sha256);
    return false;
}

/* Whether the transfer that ended with code received the correct file; otherwise writes
 * the reason. */
static bool check_transfer(transfer *t, CURLcode code)
{
    long response = 0;
    t->libraries->easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &response);
    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        snprintf(t->reason, REASON_SIZE, "file is larger than the expected %zu bytes",
                 t->file->size);
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        snprintf(t->reason, REASON_SIZE, "HTTP status %ld", response);
    else if (code)
        snprintf(t->reason, REASON_SIZE, "%s",
                 *t->curl_reason ? t->curl_reason : t->libraries->easy_strerror(code));
    else if (t->done != t->file->size)
        snprintf(t->reason, REASON_SIZE, "file has %zu bytes, expected %zu", t->done,
                 t->file->size);
    else
        return check_sum(t);
    return false;
}

/* Performs the transfer with SIGPIPE blocked in this thread, because a mirror that
 * closes the connection during a write would otherwise terminate the process. Discards
 * a SIGPIPE that arrives during the transfer. */
static CURLcode perform(const transfer *t)
{
    sigset_t pipe_signal, before, pending;
    const struct timespec no_wait = {0};
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    CURLcode code = t->libraries->easy_perform(t->curl);
    if (!was_pending)
        sigtimedwait(&pipe_signal, NULL, &no_wait);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Downloads the file from one mirror. A failure of the mirror sets *complete to false
 * and writes the reason; only a local failure is an error status. */
static mnist_status fetch_from(transfer *t, const char *address, bool *complete)
{
    *complete = false;
    t->done = 0;
    t->too_large = false;
    t->error = common_replace_begin(&t->replacement, t->path);
    if (!t->error) {
        CURLcode code = CURLE_OUT_OF_MEMORY;
        t->libraries->digest_init(t->digest, t->libraries->sha256(), NULL);
        if (configure(t, address))
            code = perform(t);
        if (!t->error && check_transfer(t, code)) {
            t->error = common_replace_commit(&t->replacement);
            *complete = !t->error;
        }
        common_replace_abandon(&t->replacement);
    }
    if (!t->error)
        return MNIST_OK;
    return mnist_fail(t->error == ENOMEM ? MNIST_OUT_OF_MEMORY : MNIST_IO_ERROR,
                      "%s: cannot be written: %s", t->path, strerror(t->error));
}

static mnist_status fetch(transfer *t)
{
    char reasons[REASONS_SIZE] = "";
    size_t used = 0;
    for (const char *const *mirror = t->entry->mirrors; *mirror; mirror++) {
        char address[ADDRESS_SIZE];
        bool complete;
        snprintf(address, sizeof(address), "%s%s", *mirror, t->file->name);
        mnist_status status = fetch_from(t, address, &complete);
        if (status || complete)
            return status;
        if (used < sizeof(reasons))
            used += (size_t)snprintf(reasons + used, sizeof(reasons) - used, "%s%s: %s",
                                     used ? "; " : "", *mirror, t->reason);
    }
    return mnist_fail(MNIST_NETWORK_ERROR, "%s: download failed: %s", t->file->name,
                      reasons);
}

static mnist_status fetch_with_libraries(transfer *t)
{
    mnist_libraries libraries;
    mnist_status status = mnist_libraries_load(&libraries);
    if (status)
        return status;
    t->libraries = &libraries;
    t->curl = libraries.easy_init();
    t->digest = libraries.digest_new();
    status = t->curl && t->digest
                 ? fetch(t)
                 : mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to download it",
                              t->file->name);
    if (t->curl)
        libraries.easy_cleanup(t->curl);
    libraries.digest_free(t->digest);
    return status;
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

/* Creates a folder and its parents. */
static mnist_status make_folder(const char *path)
{
    char *copy = common_strdup(path);
    if (!copy)
        return mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to create it", path);
    int error = 0;
    for (char *end = copy; !error && *end; end++) {
        while (*end == '/')
            end++;
        end += strcspn(end, "/");
        char separator = *end;
        *end = '\0';
        /* The XDG base directory specification requires 0700. */
        error = mkdir(copy, 0700) && !is_folder(copy) ? errno : 0;
        *end = separator;
        if (!separator)
            break;
    }
    common_free(copy);
    return error ? mnist_fail(MNIST_IO_ERROR, "%s: cannot be created: %s", path,
                              strerror(error))
                 : MNIST_OK;
}

/* Opens the lock file of a folder and waits for its lock. Closing the file unlocks. */
static mnist_status lock(const char *folder, int *file)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/.lock", folder);
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = *file < 0 ? -1 : flock(*file, LOCK_EX);
    while (failed && *file >= 0 && errno == EINTR)
        failed = flock(*file, LOCK_EX);
    /* Without locks, the worst case is a second download. */
    if (failed && (*file < 0 || (errno != ENOLCK && errno != ENOTSUP)))
        return mnist_fail(MNIST_IO_ERROR, "%s: cannot be locked: %s", path,
                          strerror(errno));
    return MNIST_OK;
}

mnist_status mnist_download(const char *folder, const mnist_entry *entry,
                            const mnist_remote *file, mnist_progress progress,
                            void *user)
{
    char path[4096];
    int size = snprintf(path, sizeof(path), "%s/%s", folder, file->name);
    if (size < 0 || (size_t)size >= sizeof(path))
        return mnist_fail(MNIST_IO_ERROR, "%s: path is too long", folder);
    int lock_file = -1;
    mnist_status status = make_folder(folder);
    if (!status)
        status = lock(folder, &lock_file);
    if (!status && access(path, F_OK) != 0) {
        transfer t = {.entry = entry,
                      .file = file,
                      .progress = progress,
                      .user = user,
                      .path = path};
        status = fetch_with_libraries(&t);
    }
    if (lock_file >= 0)
        close(lock_file);
    return status;
}
