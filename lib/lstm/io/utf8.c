#include <stdint.h>

#include "lib/lstm/io/json.h"

/* Overlong forms, surrogates and characters above U+10FFFF are not valid (RFC 3629). */
size_t lstm_utf8_length(const char *string)
{
    const unsigned char *text = (const unsigned char *)string;
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                    : text[0] < 0xf5 ? 4
                                     : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool bad =
        (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f);
    return bad ? 0 : length;
}

bool lstm_is_utf8(const char *text)
{
    while (*text) {
        size_t length = lstm_utf8_length(text);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}
