/**
 * @file
 * The transfer of one file from the first mirror that has it.
 */
#ifndef MNIST_TRANSFER_H
#define MNIST_TRANSFER_H

#include "lib/mnist/download.h"

/**
 * Transfers a file to path, or into memory if path is NULL.
 *
 * @param[out] address [MNIST_PATH_SIZE] where the file was
 * @param[out] memory as mnist_download()
 */
mnist_status mnist_transfer(const mnist_download_request *request, const char *path,
                            char *address, int *memory);

#endif
