/**
 * @file
 * How a call fails: one function that sets the message and returns the status.
 */
#ifndef MNIST_STATUS_H
#define MNIST_STATUS_H

#include <mnist/mnist.h>

/** Sets the message of this thread and returns status. */
mnist_status mnist_fail(mnist_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
