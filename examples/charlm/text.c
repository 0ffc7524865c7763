#include "examples/charlm/text.h"
#include "examples/common/hash.h"

/* The table of well-formed byte sequences of the Unicode standard (table 3-7): first
 * bytes, the number of bytes after them, and the range of the first of those. The
 * others are 80 to BF. */
static const struct lead {
    unsigned char first, last, more, low, high;
} leads[] = {
    {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf},
    {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf},
    {0xf4, 0xf4, 3, 0x80, 0x8f},
};
enum { LEADS = sizeof(leads) / sizeof(leads[0]) };

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < LEADS; i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

bool utf8_accepts(const utf8_state *state, unsigned char byte)
{
    if (state->missing)
        return byte >= state->low && byte <= state->high;
    return find_lead(byte) != NULL;
}

void utf8_take(utf8_state *state, unsigned char byte)
{
    if (state->missing) {
        *state = (utf8_state){.missing = state->missing - 1, .low = 0x80, .high = 0xbf};
        return;
    }
    const struct lead *lead = find_lead(byte);
    *state = (utf8_state){.missing = lead->more, .low = lead->low, .high = lead->high};
}

text_facts text_examine(const unsigned char *text, size_t size)
{
    text_facts facts = {.hash = common_hash(COMMON_HASH_START, text, size),
                        .valid = true};
    utf8_state state = {0};
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        facts.occurs[text[i]] = true;
        if (!facts.valid)
            continue;
        if (!state.missing)
            start = i;
        if (utf8_accepts(&state, text[i])) {
            utf8_take(&state, text[i]);
        } else {
            facts.valid = false;
            facts.invalid = start;
        }
    }
    if (facts.valid && state.missing) {
        facts.valid = false;
        facts.invalid = start;
    }
    return facts;
}

size_t text_characters(const unsigned char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}
