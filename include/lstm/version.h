/**
 * @file
 * Version of the headers and of the library.
 */
#ifndef LSTM_VERSION_H
#define LSTM_VERSION_H

#include <lstm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Major version of these headers. Libraries of another major version are not
 * compatible. */
#define LSTM_VERSION_MAJOR 1
/** Minor version of these headers. A higher minor version adds to the interface. */
#define LSTM_VERSION_MINOR 0
/** Patch level of these headers. All patch levels have the same interface. */
#define LSTM_VERSION_PATCH 0

/**
 * Returns the version of the library in use, for example "1.0.0".
 *
 * It can be higher than the version of the headers (LSTM_VERSION_MAJOR and so on) that
 * the program was compiled with. Within one major version, programs that compile and
 * link with one release do so with all later ones.
 *
 * @return a string that is valid as long as the library
 * @since 1.0
 */
LSTM_API
const char *lstm_version(void);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
