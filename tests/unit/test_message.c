/* Messages are one line of UTF-8 that a terminal only prints. */
#include <stdint.h>

#include "lib/common/message.h"
#include "tests/support/test.h"

enum { ROOM = 32 };

/* Encodes any number below 2^21 in length bytes, also where UTF-8 forbids it. */
static void encode(uint32_t character, size_t length, char *text)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, character >>= 6)
        text[i] = (char)(0x80 | (character & 0x3f));
    text[0] = (char)(lead[length] | character);
    text[length] = '\0';
}

static size_t length_of(uint32_t character)
{
    return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

/* Characters of Unicode's categories Cc, Zl and Zp, and those with the property
 * Bidi_Control. */
static bool is_control(uint32_t c)
{
    static const uint32_t others[] = {0x61c,  0x200e, 0x200f, 0x2028, 0x2029,
                                      0x202a, 0x202b, 0x202c, 0x202d, 0x202e,
                                      0x2066, 0x2067, 0x2068, 0x2069};
    bool found = c < 32 || (c >= 127 && c < 160);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        found = found || c == others[i];
    return found;
}

static void assert_finished(const char *text, const char *expected)
{
    char message[ROOM];
    snprintf(message, sizeof(message), "%s", text);
    common_finish_message(message, sizeof(message));
    assert_string_equal(message, expected);
}

/* Finishes a text between two letters; marks is how many '?' replace it, 0 if it stays.
 */
static void check(const char *text, size_t marks)
{
    char around[ROOM], expected[ROOM];
    snprintf(around, sizeof(around), "a%sb", text);
    snprintf(expected, sizeof(expected), "a%.*sb", (int)marks, "????");
    assert_finished(around, marks ? expected : around);
}

static void every_character_is_printed_or_replaced(void **state)
{
    (void)state;
    char text[5];
    for (uint32_t c = 1; c < 0x200000; c++) {
        size_t length = length_of(c);
        bool invalid = c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
        encode(c, length, text);
        check(text, invalid ? length : is_control(c));
    }
}

static void overlong_characters_are_replaced(void **state)
{
    (void)state;
    char text[5];
    for (size_t length = 2; length <= 4; length++)
        for (uint32_t c = 0; length_of(c) < length; c++) {
            encode(c, length, text);
            check(text, length);
        }
}

static void bytes_that_are_no_character_are_replaced(void **state)
{
    (void)state;
    for (int byte = 0x80; byte <= 0xff; byte++)
        check((char[]){(char)byte, '\0'}, 1);
    check("\xe2\x82", 2);
    check("\xf0\x9f\x98", 3);
    check("\xf8\x90\x80\x80", 4);
    assert_finished("\xc3(", "?(");
    assert_finished("\xf0\x9f\xc3\xa9", "??\xc3\xa9");
}

/* A character that does not fit is cut off by snprintf(), and its rest removed. */
static void a_character_that_is_cut_off_is_removed(void **state)
{
    (void)state;
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 4; i++)
        for (size_t kept = 0; kept <= i + 1; kept++) {
            char message[ROOM], expected[ROOM];
            size_t before = ROOM - 1 - kept;
            memset(message, 'm', before);
            memcpy(message + before, characters[i], kept);
            message[before + kept] = '\0';
            memcpy(expected, message, ROOM);
            if (kept <= i)
                expected[before] = '\0';
            common_finish_message(message, ROOM);
            assert_string_equal(message, expected);
        }
    assert_finished("caf\xc3", "caf?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_character_is_printed_or_replaced),
        TEST(overlong_characters_are_replaced),
        TEST(bytes_that_are_no_character_are_replaced),
        TEST(a_character_that_is_cut_off_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
