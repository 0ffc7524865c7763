#include <dlfcn.h>
#include <string.h>

#include <openssl/opensslv.h>

#include "lib/mnist/libraries.h"
#include "lib/mnist/status.h"

/* Shared libraries that match the headers of the build. */
static const char curl_name[] = "libcurl.so.4";
#if OPENSSL_VERSION_MAJOR >= 3
static const char crypto_name[] = "libcrypto.so.3";
#else
static const char crypto_name[] = "libcrypto.so.1.1";
#endif

static mnist_status missing(const char *name)
{
    const char *reason = dlerror();
    return mnist_fail(MNIST_UNSUPPORTED, "download: %s cannot be loaded: %s", name,
                      reason ? reason : "unknown reason");
}

typedef struct lookup {
    const char *name;
    void *function;
} lookup;

/* Writes the address of each function into its pointer, with memcpy() because ISO C has
 * no conversion from object pointers to function pointers. */
static mnist_status look_up(const char *library, const lookup *table, size_t count)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return missing(library);
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(handle, table[i].name);
        if (!symbol)
            return missing(library);
        memcpy(table[i].function, &symbol, sizeof(symbol));
    }
    return MNIST_OK;
}

mnist_status mnist_libraries_load(mnist_libraries *libraries)
{
    const lookup curl[] = {
        {"curl_easy_init", &libraries->easy_init},
        {"curl_easy_setopt", &libraries->easy_setopt},
        {"curl_easy_perform", &libraries->easy_perform},
        {"curl_easy_getinfo", &libraries->easy_getinfo},
        {"curl_easy_strerror", &libraries->easy_strerror},
        {"curl_easy_cleanup", &libraries->easy_cleanup},
    };
    const lookup crypto[] = {
        {"EVP_MD_CTX_new", &libraries->digest_new},
        {"EVP_sha256", &libraries->sha256},
        {"EVP_DigestInit_ex", &libraries->digest_init},
        {"EVP_DigestUpdate", &libraries->digest_update},
        {"EVP_DigestFinal_ex", &libraries->digest_final},
        {"EVP_MD_CTX_free", &libraries->digest_free},
    };
    mnist_status status = look_up(curl_name, curl, sizeof(curl) / sizeof(*curl));
    if (!status)
        status = look_up(crypto_name, crypto, sizeof(crypto) / sizeof(*crypto));
    return status;
}
