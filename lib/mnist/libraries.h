/**
 * @file
 * The functions of libcurl and libcrypto that downloads use, resolved at run time.
 */
#ifndef MNIST_LIBRARIES_H
#define MNIST_LIBRARIES_H

/* libcurl's type checks are macros, which do not work with function pointers. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <openssl/evp.h>

#include <mnist/mnist.h>

/** Function pointers, named after the functions. */
typedef struct mnist_libraries {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *handle);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *handle);
    EVP_MD_CTX *(*digest_new)(void);
    const EVP_MD *(*sha256)(void);
    int (*digest_init)(EVP_MD_CTX *digest, const EVP_MD *type, ENGINE *engine);
    int (*digest_update)(EVP_MD_CTX *digest, const void *data, size_t size);
    int (*digest_final)(EVP_MD_CTX *digest, unsigned char *sum, unsigned *size);
    void (*digest_free)(EVP_MD_CTX *digest);
} mnist_libraries;

/**
 * Loads both libraries. They stay loaded until the process exits, because neither can
 * be unloaded safely.
 *
 * @retval MNIST_OK every function is set
 * @retval MNIST_UNSUPPORTED a library, or a function in it, is missing
 */
mnist_status mnist_libraries_load(mnist_libraries *libraries);

#endif
