/**
 * @file
 * Version of the library, status of calls, and the message of the last failure.
 */
#ifndef MNIST_STATUS_H
#define MNIST_STATUS_H

#include <mnist/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Major version of these headers. Libraries of another major version are not
 * compatible. */
#define MNIST_VERSION_MAJOR 1
/** Minor version of these headers. A higher minor version adds to the interface. */
#define MNIST_VERSION_MINOR 0
/** Patch level of these headers. All patch levels have the same interface. */
#define MNIST_VERSION_PATCH 0

/** Status of a call. The values are part of the binary interface and never change. */
typedef enum mnist_status {
    /** Success. */
    MNIST_OK = 0,
    /** An argument is NULL or out of range. */
    MNIST_INVALID_ARGUMENT = 1,
    /** A memory allocation failed. */
    MNIST_OUT_OF_MEMORY = 2,
    /** An operation on a file failed; the message contains the operating system's
     * reason.
     */
    MNIST_IO_ERROR = 3,
    /** The content of a file is not valid. */
    MNIST_BAD_FILE = 4,
    /** No source has the data set; the message lists the sources tried. */
    MNIST_NOT_FOUND = 5,
    /** The download failed; the message lists the sources tried. */
    MNIST_NETWORK_ERROR = 6,
    /** This version or build of the library does not support an option, for example
     * downloads without libcurl.
     */
    MNIST_UNSUPPORTED = 7,
    /** A picture has no digit: nothing stands out from the paper. */
    MNIST_BLANK = 8,
    /** A picture has several digits; the message has their number. */
    MNIST_SEVERAL_DIGITS = 9
} mnist_status;

/** Version of the library in use at run time, for example "1.0.0". @since 1.0 */
MNIST_API
const char *mnist_version(void);

/** Name of a status, or "unknown status". @since 1.0 */
MNIST_API
const char *mnist_status_name(mnist_status status);

/**
 * Message of the last call that failed in this thread; "" if no call has failed yet.
 * The message is one line that names the file, the value found and the value expected.
 * @since 1.0
 */
MNIST_API
const char *mnist_last_error(void);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
