#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "examples/train/message.h"

static bool silent, has_progress_line;

void message_set_quiet(bool quiet)
{
    silent = quiet;
}

void message_clear_progress(void)
{
    if (has_progress_line)
        fputs("\r\033[K", stderr);
    has_progress_line = false;
}

/* Writes the line with one call, so that it cannot mix with the output of another
 * process. */
static void print_line(const char *before, const char *format, va_list arguments)
{
    char text[8192];
    vsnprintf(text, sizeof(text), format, arguments);
    message_clear_progress();
    fprintf(stderr, "%s%s\n", before, text);
}

void message_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!silent)
        print_line("", format, arguments);
    va_end(arguments);
}

void message_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

bool message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("mnist-train: ", format, arguments);
    va_end(arguments);
    return false;
}

const char *message_errno(void)
{
    return strerror(errno);
}

void message_progress(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("\r", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    va_end(arguments);
    has_progress_line = true;
}
