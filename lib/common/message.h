/**
 * @file
 * Messages of a fixed size.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stddef.h>

#include "lib/common/names.h"

/**
 * Makes a message one line of well-formed UTF-8 that a terminal only prints, whatever a
 * name in it contains. Replaces by '?' each control character (C0, DEL, C1), each
 * separator of lines, each character that changes the direction of text, and each byte
 * that is not part of a character. Removes a character that the end of the message has
 * cut off.
 *
 * @param size of the array
 */
void common_finish_message(char *message, size_t size);

#endif
