#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/stream/lines.h"

static line_status fail(const char *reason)
{
    message_error("standard input: %s", reason);
    return LINES_FAILED;
}

/* Reads more bytes after those that are there; false after an error message. */
static bool fill(line_reader *reader)
{
    if (!reader->bytes && !(reader->bytes = malloc(LINES_LONGEST + 1)))
        return message_error("out of memory");
    memmove(reader->bytes, reader->bytes + reader->begin, reader->end - reader->begin);
    reader->end -= reader->begin;
    reader->begin = 0;
    if (reader->end == LINES_LONGEST)
        return message_error("line %zu: has more than %d bytes, the limit",
                             reader->number + 1, LINES_LONGEST);
    ssize_t count;
    do
        count = read(reader->file, reader->bytes + reader->end,
                     LINES_LONGEST - reader->end);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
        fail(message_errno());
        return false;
    }
    reader->ended = count == 0;
    reader->end += (size_t)count;
    return true;
}

/* The text from begin to stop as a string. */
static line_status cut(line_reader *reader, size_t stop, char **line)
{
    static const char mark[] = "\xef\xbb\xbf";
    char *text = reader->bytes + reader->begin;
    size_t length = stop - reader->begin;
    text[length] = '\0';
    reader->begin = stop < reader->end ? stop + 1 : stop;
    if (strlen(text) != length) {
        message_error("line %zu: contains a zero byte, expected text",
                      reader->number + 1);
        return LINES_FAILED;
    }
    bool marked = reader->number++ == 0 && strncmp(text, mark, strlen(mark)) == 0;
    *line = marked ? text + strlen(mark) : text;
    return LINE_READ;
}

line_status lines_next(line_reader *reader, char **line)
{
    size_t searched = 0;
    for (;;) {
        size_t length = reader->end - reader->begin;
        char *start = reader->bytes + reader->begin;
        char *feed = length ? memchr(start + searched, '\n', length - searched) : NULL;
        if (feed)
            return cut(reader, (size_t)(feed - reader->bytes), line);
        if (reader->ended)
            return length ? cut(reader, reader->end, line) : LINES_END;
        searched = length;
        if (!fill(reader))
            return LINES_FAILED;
    }
}

void lines_free(line_reader *reader)
{
    free(reader->bytes);
    *reader = (line_reader){0};
}
