#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/common/locale.h"
#include "lib/common/message.h"
#include "lib/mnist/status.h"

enum { MESSAGE_SIZE = 1024 };
static _Thread_local char message[MESSAGE_SIZE];

const char *mnist_version(void)
{
    return MNIST_PROJECT_VERSION;
}

const char *mnist_status_name(mnist_status status)
{
    switch (status) {
    case MNIST_OK:
        return "MNIST_OK";
    case MNIST_INVALID_ARGUMENT:
        return "MNIST_INVALID_ARGUMENT";
    case MNIST_OUT_OF_MEMORY:
        return "MNIST_OUT_OF_MEMORY";
    case MNIST_IO_ERROR:
        return "MNIST_IO_ERROR";
    case MNIST_BAD_FILE:
        return "MNIST_BAD_FILE";
    case MNIST_NOT_FOUND:
        return "MNIST_NOT_FOUND";
    case MNIST_NETWORK_ERROR:
        return "MNIST_NETWORK_ERROR";
    case MNIST_UNSUPPORTED:
        return "MNIST_UNSUPPORTED";
    case MNIST_BLANK:
        return "MNIST_BLANK";
    case MNIST_SEVERAL_DIGITS:
        return "MNIST_SEVERAL_DIGITS";
    }
    return "unknown status";
}

const char *mnist_last_error(void)
{
    return message;
}

mnist_status mnist_fail(mnist_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    common_locale locale = common_locale_enter();
    vsnprintf(message, sizeof(message), format, arguments);
    common_locale_leave(locale);
    va_end(arguments);
    common_finish_message(message, sizeof(message));
    return status;
}

mnist_status mnist_check_reserved(const char *object, const uint64_t *reserved,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (reserved[i])
            return mnist_fail(MNIST_UNSUPPORTED,
                              "%s: reserved[%zu] is %" PRIu64
                              ", expected 0: this version does not know the option",
                              object, i, reserved[i]);
    return MNIST_OK;
}
