/**
 * @file
 * Downloads of files from mirrors, over https only, redirects included. A file is kept
 * only if its size and SHA-256 match.
 *
 * The first download loads libcurl. A program that needs no download never loads it.
 */
#ifndef MNIST_DOWNLOAD_H
#define MNIST_DOWNLOAD_H

#include "lib/mnist/catalogue.h"
#include "lib/mnist/folder.h"

/** What to download. */
typedef struct mnist_download_request {
    /** The folder to save into; NULL: none. */
    const char *folder;
    const mnist_entry *entry;
    const mnist_remote *file;
    /** Also called about once per second while no data arrive. */
    mnist_progress progress;
    void *user;
    /** Limit on the time of all downloads, and its end on a monotonic clock. */
    size_t seconds;
    double deadline;
} mnist_download_request;

/** Starts the time of a request; 0 seconds select the default. */
void mnist_download_start(mnist_download_request *request, size_t seconds);

/** Seconds on a monotonic clock. */
double mnist_download_clock(void);

/**
 * Downloads the file into the folder unless it exists there. Tries the mirrors of the
 * entry in order.
 *
 * Creates the folder if necessary. A lock file in it makes other processes and threads
 * wait during the download; they then use the downloaded file. The file gets its final
 * name only after all checks have passed. Without a folder that can be written, the
 * file is downloaded into memory.
 *
 * @param[out] path path of the file; its address if it is in memory
 * @param[out] memory open file in memory, which the caller closes; mnist_last_error()
 *             then has the reason. -1 if the file is in the folder
 * @retval MNIST_OK the file exists
 * @retval MNIST_NETWORK_ERROR all mirrors failed; the message lists the reason of each
 * @retval MNIST_IO_ERROR the folder cannot be locked, or the file cannot be written
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED this build cannot download, or libcurl is not installed
 */
mnist_status mnist_download(const mnist_download_request *request,
                            char path[MNIST_PATH_SIZE], int *memory);

#endif
