#ifndef MNIST_STATUS_H
#define MNIST_STATUS_H
#include <mnist/export.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
#define MNIST_VERSION_MAJOR 1
#define MNIST_VERSION_MINOR 0
#define MNIST_VERSION_PATCH 0
typedef enum mnist_status {
    MNIST_OK = 0,
    MNIST_INVALID_ARGUMENT = 1,
    MNIST_OUT_OF_MEMORY = 2,
    MNIST_IO_ERROR = 3,
    MNIST_BAD_FILE = 4,
    MNIST_NOT_FOUND = 5,
    MNIST_NETWORK_ERROR = 6,
    MNIST_UNSUPPORTED = 7,
    MNIST_BLANK = 8,
    MNIST_SEVERAL_DIGITS = 9
} mnist_status;
MNIST_API
const char *mnist_version(void);
MNIST_API
const char *mnist_status_name(mnist_status status);
MNIST_API
const char *mnist_last_error(void);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
