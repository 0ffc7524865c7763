/* Stands in for examples/common/message.c: checks messages instead of printing them. */
#include <errno.h>
#include <stdarg.h>

#include "examples/common/message.h"
#include "tests/fuzz/fuzz.h"

static void check(const char *format, va_list arguments)
{
    char text[8192];
    vsnprintf(text, sizeof(text), format, arguments);
    FUZZ_CHECK(*text);
}

void message_set_program(const char *name)
{
    (void)name;
}

const char *message_program(void)
{
    return "fuzz";
}

void message_set_quiet(bool quiet)
{
    (void)quiet;
}

bool message_has_terminal(void)
{
    return false;
}

size_t message_columns(void)
{
    return 80;
}

void message_clear_progress(void)
{
}

void message_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    check(format, arguments);
    va_end(arguments);
}

void message_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    check(format, arguments);
    va_end(arguments);
}

bool message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    check(format, arguments);
    va_end(arguments);
    return false;
}

const char *message_errno(void)
{
    return strerror(errno);
}

const char *message_reason(const char *path)
{
    (void)path;
    return strerror(errno);
}

const char *message_write_reason(const char *path)
{
    return message_reason(path);
}

int message_finish(int status)
{
    return status;
}

void message_progress(const char *format, ...)
{
    (void)format;
}
