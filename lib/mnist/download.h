/**
 * @file
 * Files fetched from mirrors: https alone, also after a redirect, and nothing is kept
 * whose size and SHA-256 are not the expected ones.
 *
 * libcurl and libcrypto are loaded by the first download, so that a program that finds
 * its files never has them in memory.
 */
#ifndef MNIST_DOWNLOAD_H
#define MNIST_DOWNLOAD_H

#include "lib/mnist/catalogue.h"

/**
 * Makes sure that folder holds the file, fetching it from the mirrors of entry in turn.
 *
 * The folder is made when there is none. A lock in it lets one process (or thread)
 * fetch while the others wait; they find the file when it is their turn. The file
 * appears under its name when it is complete and right, and not before.
 *
 * @retval MNIST_OK the file is there
 * @retval MNIST_NETWORK_ERROR no mirror has it; the message says of each why
 * @retval MNIST_IO_ERROR the folder cannot be made or written
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @retval MNIST_UNSUPPORTED this build cannot download, or a library is not installed
 */
mnist_status mnist_download(const char *folder, const mnist_entry *entry,
                            const mnist_remote *file, mnist_progress progress,
                            void *user);

#endif
