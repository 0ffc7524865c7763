/**
 * @file
 * Downloads of files from mirrors, over https only, redirects included. A file is kept
 * only if its size and SHA-256 match.
 *
 * The first download loads libcurl and libcrypto. A program that needs no download
 * never loads them.
 */
#ifndef MNIST_DOWNLOAD_H
#define MNIST_DOWNLOAD_H

#include "lib/mnist/catalogue.h"

/**
 * Downloads the file into a folder unless it exists there. Tries the mirrors of entry
 * in order.
 *
 * Creates the folder if necessary. A lock file in it makes other processes and threads
 * wait during the download; they then use the downloaded file. The file gets its final
 * name only after all checks have passed.
 *
 * @retval MNIST_OK the file exists
 * @retval MNIST_NETWORK_ERROR all mirrors failed; the message lists the reason of each
 * @retval MNIST_IO_ERROR the folder cannot be created, locked or written
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED this build cannot download, or a library is not installed
 */
mnist_status mnist_download(const char *folder, const mnist_entry *entry,
                            const mnist_remote *file, mnist_progress progress,
                            void *user);

#endif
