#include <dlfcn.h>
#include <string.h>

#include "lib/mnist/libraries.h"
#include "lib/mnist/status.h"

/* The shared library that matches the headers of the build. */
static const char curl_name[] = "libcurl.so.4";

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
    return look_up(curl_name, curl, sizeof(curl) / sizeof(*curl));
}
