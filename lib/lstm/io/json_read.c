/*
 * A strict JSON reader: one pass, no allocation. Strings are decoded in place, which is
 * possible because a character is never longer than its escape.
 */
#include <stdint.h>
#include <string.h>

#include "lib/lstm/io/json.h"

void lstm_json_start(lstm_json *json, char *text, size_t size)
{
    *json = (lstm_json){.start = text, .next = text, .end = text + size};
    text[size] = '\0';
}

static bool fail(lstm_json *json, const char *error)
{
    if (!json->error)
        json->error = error;
    return false;
}

char lstm_json_peek(lstm_json *json)
{
    if (json->error)
        return '\0';
    while (*json->next == ' ' || *json->next == '\n' || *json->next == '\t' ||
           *json->next == '\r')
        json->next++;
    return *json->next;
}

bool lstm_json_enter(lstm_json *json, char bracket)
{
    if (lstm_json_peek(json) != bracket)
        return fail(json, bracket == '{' ? "expected {" : "expected [");
    json->next++;
    json->first = true;
    return true;
}

bool lstm_json_more(lstm_json *json, char bracket)
{
    bool first = json->first;
    char next = lstm_json_peek(json);
    json->first = false;
    if (json->error)
        return false;
    if (next == bracket) {
        json->next++;
        return false;
    }
    if (first)
        return true;
    if (next != ',')
        return fail(json, bracket == '}' ? "expected , or }" : "expected , or ]");
    json->next++;
    return true;
}

/* Reads four hexadecimal digits; UINT32_MAX if one is not valid. */
static uint32_t read_hex(lstm_json *json)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = *json->next;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16)
            return UINT32_MAX;
        value = value << 4 | digit;
        json->next++;
    }
    return value;
}

/* Reads the digits after "\u": a character, or both halves of a surrogate pair. */
static uint32_t read_code(lstm_json *json)
{
    uint32_t code = read_hex(json);
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || json->next[0] != '\\' || json->next[1] != 'u')
        return UINT32_MAX;
    json->next += 2;
    uint32_t low = read_hex(json);
    if (low < 0xdc00 || low > 0xdfff)
        return UINT32_MAX;
    return 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
}

/* Writes a character as UTF-8; returns its end. */
static char *write_code(char *to, uint32_t code)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(marks[length > 1 ? length : 0] | code);
    return to + length;
}

/* Decodes the escape at next to `to`; returns the end, NULL on an error. */
static char *unescape(lstm_json *json, char *to)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char letter = json->next[1];
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        json->next += 2;
        *to = values[found - letters];
        return to + 1;
    }
    if (letter == 'u') {
        json->next += 2;
        uint32_t code = read_code(json);
        if (code != 0 && code != UINT32_MAX)
            return write_code(to, code);
    }
    fail(json, "invalid escape in a string");
    return NULL;
}

/* Decodes the character at next to `to`; returns the end, NULL on an error. */
static char *decode(lstm_json *json, char *to)
{
    if (*json->next == '\\')
        return unescape(json, to);
    size_t length = lstm_utf8_length(json->next);
    if ((unsigned char)*json->next < ' ' || length == 0) {
        fail(json, json->next == json->end ? "string does not end"
                   : length == 0           ? "string is not valid UTF-8"
                                           : "control character in a string");
        return NULL;
    }
    if (to != json->next)
        memmove(to, json->next, length);
    json->next += length;
    return to + length;
}

/* Whether a byte of a string is a character that needs no decoding. */
static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && (unsigned char)c < 0x80 && c != '\\';
}

const char *lstm_json_string(lstm_json *json)
{
    if (lstm_json_peek(json) != '"') {
        fail(json, "expected a string");
        return NULL;
    }
    char *string = ++json->next, *to = string;
    while (*json->next != '"')
        if (is_plain(*json->next))
            *to++ = *json->next++;
        else if (!(to = decode(json, to)))
            return NULL;
    json->next++;
    *to = '\0';
    return string;
}

const char *lstm_json_key(lstm_json *json)
{
    const char *key = lstm_json_string(json);
    if (!key)
        return NULL;
    if (lstm_json_peek(json) != ':') {
        fail(json, "expected :");
        return NULL;
    }
    json->next++;
    return key;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool lstm_json_size(lstm_json *json, size_t *value)
{
    static const char error[] = "expected an integer of at least 0";
    size_t size = 0;
    if (!is_digit(lstm_json_peek(json)))
        return fail(json, error);
    const char *begin = json->next;
    while (is_digit(*json->next))
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, (size_t)(*json->next++ - '0'), &size))
            return fail(json, "integer is too large");
    if ((*begin == '0' && json->next > begin + 1) ||
        (*json->next && strchr(".eE", *json->next)))
        return fail(json, error);
    *value = size;
    return true;
}

bool lstm_json_finish(lstm_json *json)
{
    lstm_json_peek(json);
    if (json->next != json->end)
        fail(json, "text after the end");
    return !json->error;
}
