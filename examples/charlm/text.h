/**
 * @file
 * Texts as bytes, and their characters in UTF-8.
 */
#ifndef EXAMPLES_CHARLM_TEXT_H
#define EXAMPLES_CHARLM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_BYTES = 256 };

/** Position within a character: bytes that are missing, and the range of the next one.
 *  All zero between characters. */
typedef struct utf8_state {
    unsigned missing;
    unsigned char low, high;
} utf8_state;

/** Whether a byte may follow in valid UTF-8. */
bool utf8_accepts(const utf8_state *state, unsigned char byte);

/** Takes a byte that utf8_accepts(). */
void utf8_take(utf8_state *state, unsigned char byte);

/** Facts of a text. */
typedef struct text_facts {
    /** Of all bytes. */
    uint64_t hash;
    /** Whether the text is valid UTF-8. */
    bool valid;
    /** Unless valid, position of the first character that is not valid or cut off. */
    size_t invalid;
    /** Which bytes occur. */
    bool occurs[TEXT_BYTES];
} text_facts;

text_facts text_examine(const unsigned char *text, size_t size);

/** Number of characters that begin in a text in valid UTF-8. */
size_t text_characters(const unsigned char *text, size_t size);

#endif
