/**
 * @file
 * Messages of a fixed size.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stddef.h>
#include <string.h>

/** Removes a character of UTF-8 that the end of a message of this size has cut off. */
static inline void common_trim_message(char *message, size_t size)
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

/** Makes a message one line of whole characters, whatever a name in it contains. */
static inline void common_finish_message(char *message, size_t size)
{
    common_trim_message(message, size);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

#endif
