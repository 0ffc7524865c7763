/*
 * Text that grows, and JSON in it.
 */
#include <stdio.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/lstm/core/text.h"
#include "lib/lstm/io/json.h"

void lstm_text_destroy(lstm_text *text)
{
    common_free(text->data);
    *text = (lstm_text){0};
}

static void fail(lstm_text *text)
{
    lstm_text_destroy(text);
    text->failed = true;
}

/* Makes room for size more bytes and a zero, which new memory has. */
static bool grow(lstm_text *text, size_t size)
{
    enum { FIRST = 1024 };
    size_t needed, doubled;
    if (!common_add(text->size, size, &needed) || !common_add(needed, 1, &needed) ||
        !common_multiply(text->room, 2, &doubled))
        return false;
    if (needed <= text->room)
        return true;
    doubled = common_larger(doubled, FIRST);
    size_t room = common_larger(needed, doubled);
    char *data = common_alloc_bytes(room);
    if (!data)
        return false;
    if (text->data)
        memcpy(data, text->data, text->size);
    common_free(text->data);
    text->data = data;
    text->room = room;
    return true;
}

void lstm_text_bytes(lstm_text *text, const void *data, size_t size)
{
    if (text->failed)
        return;
    if (!grow(text, size)) {
        fail(text);
        return;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

void lstm_text_add(lstm_text *text, const char *format, ...)
{
    char part[256];
    va_list arguments;
    va_start(arguments, format);
    int length = lstm_vformat(part, sizeof(part), format, arguments);
    va_end(arguments);
    if ((size_t)length < sizeof(part))
        lstm_text_bytes(text, part, (size_t)length);
    else
        fail(text);
}

/* Number of characters at text that need no escape. */
static size_t plain_length(const char *text)
{
    size_t length = 0;
    while ((unsigned char)text[length] >= ' ' && text[length] != '"' &&
           text[length] != '\\')
        length++;
    return length;
}

void lstm_text_string(lstm_text *text, const char *string)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    lstm_text_bytes(text, "\"", 1);
    for (;;) {
        size_t plain = plain_length(string);
        lstm_text_bytes(text, string, plain);
        string += plain;
        if (!*string)
            break;
        const char *found = strchr(escaped, *string);
        if (found)
            lstm_text_add(text, "\\%c", letters[found - escaped]);
        else
            lstm_text_add(text, "\\u%04x", (unsigned)*string);
        string++;
    }
    lstm_text_bytes(text, "\"", 1);
}

void lstm_text_double(lstm_text *text, double value)
{
    char number[LSTM_DOUBLE_TEXT];
    lstm_double_text(number, value);
    lstm_text_bytes(text, number, strlen(number));
}
