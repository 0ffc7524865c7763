/**
 * @file
 * Error reporting: one function that sets the message and returns the status.
 */
#ifndef LIB_MNIST_STATUS_H
#define LIB_MNIST_STATUS_H

#include <mnist/mnist.h>

/** Sets the message of this thread and returns status. */
mnist_status mnist_fail(mnist_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Rejects options of a later version: fails with MNIST_UNSUPPORTED if a reserved value
 * of a struct of options is not zero. The message names the first such value. Each call
 * that takes such a struct checks this before the other fields.
 *
 * @param reserved [count] the array that ends the struct
 */
mnist_status mnist_check_reserved(const char *object, const uint64_t *reserved,
                                  size_t count);

#endif
