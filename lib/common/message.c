#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/common/message.h"

/* Removes a character that the end of a full array has cut off. */
static void trim(char *message, size_t size)
{
    static const unsigned char leads[] = {0xc0, 0xe0, 0xf0};
    size_t length = strlen(message), tail = 0;
    if (length < size - 1)
        return;
    while (tail < 3 && (message[length - 1 - tail] & 0xc0) == 0x80)
        tail++;
    unsigned char lead = (unsigned char)message[length - 1 - tail];
    if (tail < 3 && lead >= leads[tail])
        message[length - 1 - tail] = '\0';
}

/* Decodes the character at text. Returns its length in bytes; 0 if it is not
 * well-formed UTF-8: overlong, a surrogate, or above U+10FFFF. */
static size_t decode(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc2 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf8 ? 4
                                      : 0;
    if (length < 2) {
        *character = bytes[0];
        return length;
    }
    *character = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = *character >= 0xd800 && *character < 0xe000;
    return *character < least[length] || *character > 0x10ffff || surrogate ? 0
                                                                            : length;
}

/* Whether a terminal could do anything else than to print the character. */
static bool controls(uint32_t character)
{
    static const uint32_t ranges[][2] = {
        {0, 0x1f},        {0x7f, 0x9f}, {0x61c, 0x61c}, /* Arabic letter mark */
        {0x200e, 0x200f}, /* left-to-right and right-to-left marks */
        {0x2028, 0x202e}, /* separators of lines and paragraphs, embeddings */
        {0x2066, 0x2069}, /* isolates */
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (character >= ranges[i][0] && character <= ranges[i][1])
            return true;
    return false;
}

void common_finish_message(char *message, size_t size)
{
    trim(message, size);
    char *to = message;
    for (const char *from = message; *from;) {
        uint32_t character;
        size_t length = decode(from, &character);
        if (length == 0 || controls(character))
            *to++ = '?';
        else
            for (size_t i = 0; i < length; i++)
                *to++ = from[i];
        from += length ? length : 1;
    }
    *to = '\0';
}
