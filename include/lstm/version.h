/**
 * @file
 * Version of the library that these headers belong to.
 */
#ifndef LSTM_VERSION_H
#define LSTM_VERSION_H

#include <lstm/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Major version of these headers: another one breaks programs. */
#define LSTM_VERSION_MAJOR 1
/** Minor version of these headers: it adds to the interface. */
#define LSTM_VERSION_MINOR 0
/** Patch level of these headers: it changes no interface. */
#define LSTM_VERSION_PATCH 0

/**
 * Version of the library that is running, for example "1.0.0".
 *
 * It can differ from the LSTM_VERSION_ constants, which are those of the headers that
 * the caller was compiled with. Within one major version everything that compiled and
 * linked keeps doing so.
 *
 * @return a string that lives as long as the library
 * @since 1.0
 */
LSTM_API
const char *lstm_version(void);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
