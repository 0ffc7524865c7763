#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/mnist/libraries.h"
#include "lib/mnist/sha256.h"
#include "lib/mnist/status.h"
#include "lib/mnist/transfer.h"

enum {
    /* Timeout of a connection, for hosts that drop packets; at most that of a transfer.
     */
    CONNECT_SECONDS = 10,
    /* Bytes per second below which a transfer makes no progress. */
    MINIMUM_SPEED = 1000,
    MAXIMUM_REDIRECTS = 5,
    ADDRESS_SIZE = 512,
    REASON_SIZE = 320,
    REASONS_SIZE = 880,
};

typedef struct transfer {
    const mnist_libraries *libraries;
    const mnist_download_request *request;
    /* NULL: into memory. */
    const char *path;
    common_replacement replacement;
    int memory;
    CURL *curl;
    mnist_sha256 sum;
    char address[ADDRESS_SIZE];
    size_t done;
    bool too_large, late;
    /* Time of the last call of progress. */
    double called;
    /* errno of a local failure, which another mirror cannot cure. */
    int error;
    char curl_reason[CURL_ERROR_SIZE];
    char reason[REASON_SIZE];
} transfer;

static void call_progress(transfer *t)
{
    const mnist_download_request *request = t->request;
    t->called = mnist_download_clock();
    if (request->progress)
        request->progress(t->address, t->done, request->file->size, request->user);
}

static int open_target(transfer *t)
{
    if (t->path)
        return common_replace_begin(&t->replacement, t->path);
    t->memory = memfd_create("mnist", MFD_CLOEXEC);
    return t->memory < 0 ? errno : 0;
}

static int write_target(transfer *t, const char *data, size_t size)
{
    if (t->path)
        return common_replace_write(&t->replacement, data, size);
    while (size > 0) {
        ssize_t count = write(t->memory, data, size);
        if (count < 0 && errno != EINTR)
            return errno;
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

/* Keeps what was written; memory is then read from its start. */
static int keep_target(transfer *t)
{
    if (t->path)
        return common_replace_commit(&t->replacement);
    return lseek(t->memory, 0, SEEK_SET) < 0 ? errno : 0;
}

static void drop_target(transfer *t)
{
    common_replace_abandon(&t->replacement);
    if (t->memory >= 0)
        close(t->memory);
    t->memory = COMMON_NO_FILE;
}

/* Write callback of libcurl: any return value other than size * count aborts the
 * transfer. */
static size_t receive(char *data, size_t size, size_t count, void *user)
{
    transfer *t = user;
    size_t bytes = size * count;
    t->too_large = bytes > t->request->file->size - t->done;
    if (t->too_large)
        return 0;
    t->error = write_target(t, data, bytes);
    if (t->error)
        return 0;
    mnist_sha256_add(&t->sum, data, bytes);
    t->done += bytes;
    call_progress(t);
    return bytes;
}

/* Progress callback of libcurl, which calls it at least about once per second, also
 * before the connection is made. A value other than 0 aborts the transfer. */
static int watch(void *user, curl_off_t down_total, curl_off_t down,
                 curl_off_t up_total, curl_off_t up)
{
    transfer *t = user;
    double now = mnist_download_clock();
    (void)down_total, (void)down, (void)up_total, (void)up;
    t->late = now >= t->request->deadline;
    if (!t->late && now - t->called >= 1)
        call_progress(t);
    return t->late;
}

static bool configure(transfer *t)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = t->libraries->easy_setopt;
    CURL *curl = t->curl;
    const mnist_entry *entry = t->request->entry;
    const char *certificates = entry->certificates;
    curl_off_t size = (curl_off_t)t->request->file->size;
    long connect = entry->timeout < CONNECT_SECONDS ? entry->timeout : CONNECT_SECONDS;
    return !set(curl, CURLOPT_URL, t->address) &&
           !set(curl, CURLOPT_PROTOCOLS_STR, "https") &&
           !set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
           !set(curl, CURLOPT_FOLLOWLOCATION, 1L) &&
           !set(curl, CURLOPT_MAXREDIRS, (long)MAXIMUM_REDIRECTS) &&
           !set(curl, CURLOPT_FAILONERROR, 1L) && !set(curl, CURLOPT_NOSIGNAL, 1L) &&
           !set(curl, CURLOPT_CONNECTTIMEOUT, connect) &&
           !set(curl, CURLOPT_LOW_SPEED_LIMIT, (long)MINIMUM_SPEED) &&
           !set(curl, CURLOPT_LOW_SPEED_TIME, entry->timeout) &&
           !set(curl, CURLOPT_MAXFILESIZE_LARGE, size) &&
           !set(curl, CURLOPT_USERAGENT, "libmnist/" MNIST_PROJECT_VERSION) &&
           !set(curl, CURLOPT_ERRORBUFFER, t->curl_reason) &&
           !set(curl, CURLOPT_WRITEFUNCTION, receive) &&
           !set(curl, CURLOPT_WRITEDATA, t) && !set(curl, CURLOPT_NOPROGRESS, 0L) &&
           !set(curl, CURLOPT_XFERINFOFUNCTION, watch) &&
           !set(curl, CURLOPT_XFERINFODATA, t) &&
           (!certificates || !set(curl, CURLOPT_CAINFO, certificates));
}

/* Compares the SHA-256 of the received data with the expected one. */
static bool check_sum(transfer *t)
{
    char text[MNIST_SHA256_TEXT];
    const char *expected = t->request->file->sha256;
    mnist_sha256_end(&t->sum, text);
    if (strcmp(text, expected) == 0)
        return true;
    snprintf(t->reason, REASON_SIZE, "SHA-256 is %s, expected %s", text, expected);
    return false;
}

/* Writes the reason of a transfer that a proxy refused; false if none did. */
static bool refused_by_proxy(transfer *t)
{
    long answer = 0, port = 0;
    const char *host = NULL;
    t->libraries->easy_getinfo(t->curl, CURLINFO_HTTP_CONNECTCODE, &answer);
    t->libraries->easy_getinfo(t->curl, CURLINFO_PRIMARY_IP, &host);
    t->libraries->easy_getinfo(t->curl, CURLINFO_PRIMARY_PORT, &port);
    if (answer < 300)
        return false;
    snprintf(t->reason, REASON_SIZE, "the proxy %s:%ld answered with HTTP status %ld",
             host ? host : "", port, answer);
    return true;
}

/* Whether the transfer that ended with code received the correct file; otherwise writes
 * the reason. */
static bool check_transfer(transfer *t, CURLcode code)
{
    size_t size = t->request->file->size;
    long answer = 0;
    t->libraries->easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (t->late)
        snprintf(t->reason, REASON_SIZE,
                 "not complete at the end of the time limit of %zu s",
                 t->request->seconds);
    else if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        snprintf(t->reason, REASON_SIZE, "file is larger than the expected %zu bytes",
                 size);
    else if (code && refused_by_proxy(t))
        return false;
    else if (code == CURLE_HTTP_RETURNED_ERROR)
        snprintf(t->reason, REASON_SIZE, "HTTP status %ld", answer);
    else if (code)
        snprintf(t->reason, REASON_SIZE, "%s",
                 *t->curl_reason ? t->curl_reason : t->libraries->easy_strerror(code));
    else if (t->done != size)
        snprintf(t->reason, REASON_SIZE, "file has %zu bytes, expected %zu", t->done,
                 size);
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
static mnist_status fetch_from(transfer *t, bool *complete)
{
    *complete = false;
    t->done = 0;
    t->too_large = t->late = false;
    t->curl_reason[0] = '\0';
    t->error = open_target(t);
    if (!t->error) {
        CURLcode code = CURLE_OUT_OF_MEMORY;
        mnist_sha256_start(&t->sum);
        call_progress(t);
        if (configure(t))
            code = perform(t);
        if (!t->error && check_transfer(t, code)) {
            t->error = keep_target(t);
            *complete = !t->error;
        }
        if (!*complete)
            drop_target(t);
    }
    if (!t->error)
        return MNIST_OK;
    return mnist_fail(t->error == ENOMEM ? MNIST_OUT_OF_MEMORY : MNIST_IO_ERROR,
                      "%s: cannot be written: %s", t->path ? t->path : t->address,
                      strerror(t->error));
}

static mnist_status fetch(transfer *t)
{
    char reasons[REASONS_SIZE] = "";
    size_t used = 0;
    const char *name = t->request->file->name;
    for (const char *const *mirror = t->request->entry->mirrors; *mirror; mirror++) {
        bool complete;
        snprintf(t->address, sizeof(t->address), "%s%s", *mirror, name);
        mnist_status status = fetch_from(t, &complete);
        if (status || complete)
            return status;
        if (used < sizeof(reasons))
            used += (size_t)snprintf(reasons + used, sizeof(reasons) - used, "%s%s: %s",
                                     used ? "; " : "", t->address, t->reason);
        if (t->late)
            break;
    }
    return mnist_fail(MNIST_NETWORK_ERROR, "%s: download failed: %s", name, reasons);
}

mnist_status mnist_transfer(const mnist_download_request *request, const char *path,
                            char *address, int *memory)
{
    mnist_libraries libraries;
    transfer t = {.libraries = &libraries,
                  .request = request,
                  .path = path,
                  .memory = COMMON_NO_FILE};
    mnist_status status = mnist_libraries_load(&libraries);
    if (status)
        return status;
    t.curl = libraries.easy_init();
    status = t.curl ? fetch(&t)
                    : mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to download it",
                                 request->file->name);
    if (t.curl)
        libraries.easy_cleanup(t.curl);
    snprintf(address, MNIST_PATH_SIZE, "%s", t.address);
    *memory = t.memory;
    return status;
}
