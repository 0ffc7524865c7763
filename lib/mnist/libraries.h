/**
 * @file
 * The functions of libcurl that downloads use, resolved at run time.
 */
#ifndef MNIST_LIBRARIES_H
#define MNIST_LIBRARIES_H

/* libcurl's type checks are macros, which do not work with function pointers. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <mnist/mnist.h>

/** Function pointers, named after the functions. */
typedef struct mnist_libraries {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *handle);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *handle);
} mnist_libraries;

/**
 * Loads libcurl. It stays loaded until the process exits, because it cannot be unloaded
 * safely.
 *
 * @retval MNIST_OK every function is set
 * @retval MNIST_UNSUPPORTED the library, or a function in it, is missing
 */
mnist_status mnist_libraries_load(mnist_libraries *libraries);

#endif
