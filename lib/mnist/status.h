/**
 * @file
 * Error reporting: one function that sets the message and returns the status.
 */
#ifndef MNIST_STATUS_H
#define MNIST_STATUS_H

#include <mnist/mnist.h>

/** Sets the message of this thread and returns status. */
mnist_status mnist_fail(mnist_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum {
    /** Length of the array that ends each public struct of options. */
    MNIST_RESERVED = 8
};

/**
 * Refuses options of a later version: every value of the tail of a public struct of
 * options is 0, or the message names the first one that is not. Each call that takes
 * such a struct makes this check before all others of the struct.
 */
mnist_status mnist_check_reserved(const char *object,
                                  const uint64_t reserved[MNIST_RESERVED]);

#endif
