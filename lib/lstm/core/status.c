#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/common/message.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/core/text.h"

enum { MESSAGE_SIZE = 512 };
static _Thread_local char message[MESSAGE_SIZE];

const char *lstm_status_name(lstm_status status)
{
    switch (status) {
    case LSTM_OK:
        return "LSTM_OK";
    case LSTM_INVALID_ARGUMENT:
        return "LSTM_INVALID_ARGUMENT";
    case LSTM_SHAPE_MISMATCH:
        return "LSTM_SHAPE_MISMATCH";
    case LSTM_OUT_OF_MEMORY:
        return "LSTM_OUT_OF_MEMORY";
    case LSTM_IO_ERROR:
        return "LSTM_IO_ERROR";
    case LSTM_BAD_FILE:
        return "LSTM_BAD_FILE";
    case LSTM_INVALID_STATE:
        return "LSTM_INVALID_STATE";
    case LSTM_NOT_FINITE:
        return "LSTM_NOT_FINITE";
    case LSTM_UNSUPPORTED:
        return "LSTM_UNSUPPORTED";
    }
    return "unknown status";
}

const char *lstm_last_error(void)
{
    return message;
}

lstm_status lstm_fail(lstm_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lstm_vformat(message, sizeof(message), format, arguments);
    va_end(arguments);
    common_finish_message(message, sizeof(message));
    return status;
}

lstm_status lstm_fail_null(const char *object, const char *argument)
{
    return lstm_fail(LSTM_INVALID_ARGUMENT, "%s: %s is NULL", object, argument);
}

lstm_status lstm_fail_memory(const char *object)
{
    return lstm_fail(LSTM_OUT_OF_MEMORY, "%s: out of memory", object);
}

lstm_status lstm_check_reserved(const char *object,
                                const uint64_t reserved[LSTM_RESERVED])
{
    for (size_t i = 0; i < LSTM_RESERVED; i++)
        if (reserved[i])
            return lstm_fail(LSTM_UNSUPPORTED,
                             "%s: reserved[%zu] is %" PRIu64
                             ", expected 0: this version does not know the option",
                             object, i, reserved[i]);
    return LSTM_OK;
}
