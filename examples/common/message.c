#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/message.h"

static const char *program = "";
static bool silent, has_progress_line;

/* Opens the standard streams that are closed, in a way that their use fails. Otherwise
 * the next file that is opened would take their place, and messages would be written to
 * it. */
static void fill_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void message_set_program(const char *name)
{
    fill_streams();
    program = name;
}

const char *message_program(void)
{
    return program;
}

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
static void print_line(bool named, const char *format, va_list arguments)
{
    char text[8192];
    vsnprintf(text, sizeof(text), format, arguments);
    message_clear_progress();
    fprintf(stderr, "%s%s%s\n", named ? program : "", named ? ": " : "", text);
}

void message_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!silent)
        print_line(false, format, arguments);
    va_end(arguments);
}

void message_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(false, format, arguments);
    va_end(arguments);
}

bool message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(true, format, arguments);
    va_end(arguments);
    return false;
}

const char *message_errno(void)
{
    return strerror(errno ? errno : EIO);
}

int message_finish(int status)
{
    message_clear_progress();
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    message_error("standard output: %s", message_errno());
    return status ? status : EXIT_FAILURE;
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
