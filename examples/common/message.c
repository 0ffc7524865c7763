#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "lib/common/message.h"
#include "lib/common/reason.h"

static const char *program = "";
static bool silent, muted;
/* Columns that the progress line takes; 0 if there is none. */
static size_t progress_cells;

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
    /* A file of the largest size that is allowed is a failed write, with a message. */
    signal(SIGXFSZ, SIG_IGN);
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

void message_set_mute(bool mute)
{
    muted = mute;
}

bool message_has_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

size_t message_columns(void)
{
    enum { USUAL = 80, MOST = 10000 };
    struct winsize size;
    const char *text = getenv("COLUMNS");
    uint64_t columns = 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (text && number_count(text, &columns) && columns > 0 && columns <= MOST)
        return (size_t)columns;
    return USUAL;
}

/* The progress line may have been wrapped if the terminal has become narrower. */
void message_clear_progress(void)
{
    size_t rows = progress_cells ? (progress_cells - 1) / message_columns() : 0;
    if (progress_cells)
        fputs("\r", stderr);
    for (size_t i = 0; i < rows; i++)
        fputs("\033[A", stderr);
    if (progress_cells)
        fputs(rows ? "\033[J" : "\033[K", stderr);
    progress_cells = 0;
}

void message_clean(char *text, size_t size)
{
    common_finish_message(text, size);
}

/* The line of a message in memory of its own; NULL if it fits into size, or if memory
 * is exhausted. Command lines of long paths may be long. */
static char *long_line(size_t size, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0 || (size_t)length < size)
        return NULL;
    char *text = malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

/* Writes the line with one call, so that it cannot mix with the output of another
 * process. */
static void print_line(bool named, const char *format, va_list arguments)
{
    char usual[8192];
    if (muted)
        return;
    char *longer = long_line(sizeof(usual), format, arguments);
    char *text = longer ? longer : usual;
    if (!longer)
        vsnprintf(usual, sizeof(usual), format, arguments);
    message_clean(text, longer ? SIZE_MAX : sizeof(usual));
    message_clear_progress();
    fprintf(stderr, "%s%s%s\n", named ? program : "", named ? ": " : "", text);
    free(longer);
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

void message_with_limit(const char *text, char *out, size_t size)
{
    static const char field[] = "; limit can allow more";
    const char *at = strstr(text, field);
    if (at)
        snprintf(out, size, "%.*s; --%s", (int)(at - text), text, at + strlen("; "));
    else
        snprintf(out, size, "%s", text);
}

const char *message_errno(void)
{
    return strerror(errno ? errno : EIO);
}

const char *message_reason(const char *path)
{
    static char text[COMMON_REASON_SIZE];
    return common_reason(text, path, errno ? errno : EIO);
}

const char *message_write_reason(const char *path)
{
    static char text[COMMON_REASON_SIZE];
    return common_write_reason(text, path, errno ? errno : EIO);
}

int message_finish(int status)
{
    message_clear_progress();
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    message_error("standard output: %s", message_errno());
    return status ? status : EXIT_FAILURE;
}

/* Length of the character at text in bytes, and the columns that it takes. Characters
 * of eastern Asia and pictographs take two; accents that follow a letter take none. */
static size_t character_length(const char *text, size_t *cells)
{
    static const unsigned ranges[][3] = {
        {0x300, 0x36f, 0},   {0x200b, 0x200f, 0},   {0x1100, 0x115f, 2},
        {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0}, {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
        {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = 1;
    unsigned code = bytes[0];
    if (code >= 0xc0)
        code &= code < 0xe0 ? 0x1f : code < 0xf0 ? 0x0f : 0x07;
    for (; (bytes[length] & 0xc0) == 0x80; length++)
        code = code << 6 | (bytes[length] & 0x3f);
    *cells = 1;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            *cells = ranges[i][2];
    return length;
}

/* Cuts text so that it takes at most most columns; returns those that it takes. */
static size_t cut(char *text, size_t most)
{
    size_t used = 0;
    for (char *next = text; *next;) {
        size_t cells, length = character_length(next, &cells);
        if (used + cells > most) {
            *next = '\0';
            break;
        }
        used += cells;
        next += length;
    }
    return used;
}

void message_progress(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    message_clean(text, sizeof(text));
    /* The last column stays free: some terminals wrap when it is written. */
    size_t cells = cut(text, message_columns() - 1);
    message_clear_progress();
    fprintf(stderr, "\r%s\033[K", text);
    progress_cells = cells;
}
