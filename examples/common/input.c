#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/input.h"
#include "examples/common/message.h"

enum { FIRST_ROOM = 1 << 16 };

const char *input_name(const char *path)
{
    return strcmp(path, INPUT_STDIN) == 0 ? "standard input" : *path ? path : "''";
}

/* Makes room for more bytes, and for the byte 0 after them. */
static bool grow(input *content, size_t *room)
{
    size_t larger = *room ? 2 * *room : FIRST_ROOM;
    unsigned char *bytes = realloc(content->bytes, larger + 1);
    if (!bytes)
        return false;
    content->bytes = bytes;
    *room = larger;
    return true;
}

/* Reads to the end; false with errno set, EFBIG if the file is larger than limit. */
static bool read_all(input *content, int file, size_t limit)
{
    size_t room = 0;
    for (;;) {
        if (content->size == room && !grow(content, &room))
            return false;
        ssize_t count =
            read(file, content->bytes + content->size, room - content->size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            content->bytes[content->size] = 0;
            return count == 0;
        }
        content->size += (size_t)count;
        if (content->size > limit) {
            errno = EFBIG;
            return false;
        }
    }
}

/* Writes the reason of a failure, the current errno. */
static bool explain(const char *path, size_t limit, char *why, size_t size)
{
    if (errno == EFBIG)
        snprintf(why, size, "%s: has more than %zu bytes, the limit", input_name(path),
                 limit);
    else
        snprintf(why, size, "%s: %s", input_name(path), message_reason(path));
    return false;
}

bool input_try(input *content, const char *path, size_t limit, char *why, size_t size)
{
    bool standard = strcmp(path, INPUT_STDIN) == 0;
    *content = (input){0};
    int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return explain(path, limit, why, size);
    bool done = read_all(content, file, limit);
    int error = errno;
    if (!standard)
        close(file);
    if (done)
        return true;
    input_free(content);
    errno = error;
    return explain(path, limit, why, size);
}

bool input_read(input *content, const char *path, size_t limit)
{
    char why[8192];
    return input_try(content, path, limit, why, sizeof(why)) ||
           message_error("%s", why);
}

void input_free(input *content)
{
    free(content->bytes);
    *content = (input){0};
}
