/* The reader of JSON and of UTF-8, at the borders of what they accept. */
#include <stdint.h>

#include "lib/lstm/io/json.h"
#include "tests/support/test.h"

/* Whether a flat object is accepted. */
static bool accepts(const char *text)
{
    lstm_object object;
    lstm_status status = lstm_object_read(&object, text);
    assert_true(status == LSTM_OK || status == LSTM_BAD_FILE);
    if (!status)
        lstm_object_destroy(&object);
    return !status;
}

static void numbers_are_those_of_rfc_8259(void **state)
{
    (void)state;
    static const char *const valid[] = {"0",    "-0",    "10",    "1.5",    "-1.50",
                                        "1e5",  "1E5",   "1e+5",  "1e-5",   "0.0e00",
                                        "9E-0", "12345", "1.5e3", "-0.1E+9"};
    static const char *const wrong[] = {
        "",     "-",   "01",   "-01", "+1", ".5",  "1.", "1e",  "1e+",     "1e-",
        "1.e5", "0x1", "1e5.", "NaN", "e5", "--1", "1,", "1 2", "Infinity"};
    char text[64];
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\": %s }", valid[i]);
        if (!accepts(text))
            fail_msg("%s is refused", text);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\":%s}", wrong[i]);
        if (accepts(text))
            fail_msg("%s is accepted", text);
    }
}

/* The content of a string in JSON, NULL if it is refused. */
static const char *decoded(const char *text)
{
    static char copy[64];
    lstm_json json;
    snprintf(copy, sizeof(copy), "%s", text);
    lstm_json_start(&json, copy, strlen(copy));
    const char *string = lstm_json_string(&json);
    return lstm_json_finish(&json) ? string : NULL;
}

/* Expected values are those of Python's json.loads(). */
static void escapes_are_characters(void **state)
{
    (void)state;
    static const char *const valid[][2] = {
        {"\"\\u0041\\u007f\"", "A\x7f"},
        {"\"\\u0080\\u07ff\"", "\xc2\x80\xdf\xbf"},
        {"\"\\u00e9\\u00E9\"", "\xc3\xa9\xc3\xa9"},
        {"\"\\u0800\\uffff\"", "\xe0\xa0\x80\xef\xbf\xbf"},
        {"\"\\uABCD\\uefab\"", "\xea\xaf\x8d\xee\xbe\xab"},
        {"\"\\ud7ff\\ue000\"", "\xed\x9f\xbf\xee\x80\x80"},
        {"\"\\ud83d\\ude00x\"", "\xf0\x9f\x98\x80x"},
        {"\"\\ud800\\udc00\"", "\xf0\x90\x80\x80"},
        {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    };
    static const char *const wrong[] = {"\"\\u0000\"",
                                        "\"\\u00g0\"",
                                        "\"\\u00:0\"",
                                        "\"\\u00G0\"",
                                        "\"\\u00/0\"",
                                        "\"\\u00@0\"",
                                        "\"\\u00`0\"",
                                        "\"\\u004\"",
                                        "\"\\ud83d\"",
                                        "\"\\ud83dx\"",
                                        "\"\\ud83d\\n\"",
                                        "\"\\udc00\\udc00\"",
                                        "\"\\ud83d\\u0041\"",
                                        "\"\\ud83d\\ue000\"",
                                        "\"\\ud83d\\u00\"",
                                        "\"\\x41\"",
                                        "\"\\",
                                        "\"\\\"",
                                        "\"a\nb\"",
                                        "\"\xff\"",
                                        "\"a",
                                        "\"a\"b",
                                        "a",
                                        "\"\\u\""};
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        const char *found = decoded(valid[i][0]);
        if (!found)
            fail_msg("%s is refused", valid[i][0]);
        assert_string_equal(found, valid[i][1]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (decoded(wrong[i]))
            fail_msg("%s is accepted", wrong[i]);
}

static void a_part_of_a_text_that_is_too_long_is_a_failure(void **state)
{
    (void)state;
    lstm_text text = {0};
    lstm_text_add(&text, "%255s", "x");
    assert_false(text.failed);
    assert_int_equal(text.size, 255);
    lstm_text_add(&text, "%256s", "x");
    assert_true(text.failed);
    lstm_text_add(&text, "%s", "x");
    assert_true(text.failed);
    lstm_text_destroy(&text);
}

static void objects_end_where_they_must(void **state)
{
    (void)state;
    assert_true(accepts("{}"));
    assert_true(accepts(" \t\r\n{ \"a\" : true , \"b\" : null } \n"));
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{",
                                        "{} {}",
                                        "{}x",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":tru}",
                                        "{\"a\":nul}",
                                        "{\"a\":falsy}",
                                        "{,}",
                                        "{\"a\":1,}",
                                        "{\"a\" 1}",
                                        "{a:1}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":1]",
                                        "{\"a\":[1]}",
                                        "{\"a\":{}}",
                                        "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (accepts(wrong[i]))
            fail_msg("%s is accepted", wrong[i]);
}

static void objects_have_at_most_their_members(void **state)
{
    (void)state;
    char text[16 * (LSTM_MEMBERS + 1)];
    for (size_t members = LSTM_MEMBERS; members <= LSTM_MEMBERS + 1; members++) {
        size_t used = 0;
        for (size_t i = 0; i < members; i++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%c\"%zu\":%zu",
                                     i ? ',' : '{', i, i);
        snprintf(text + used, sizeof(text) - used, "}");
        assert_int_equal(accepts(text), members == LSTM_MEMBERS);
    }
}

static void members_are_read_by_their_type(void **state)
{
    (void)state;
    lstm_object object;
    size_t size = 7;
    double number = 7;
    bool truth = true;
    const char *string = "seven";
    assert_int_equal(lstm_object_read(&object, "{\"n\":12,\"s\":\"x\",\"f\":false,"
                                               "\"t\":true,\"r\":-1.5,\"z\":null}"),
                     LSTM_OK);
    assert_false(lstm_object_size(&object, "none", &size));
    assert_false(lstm_object_size(&object, "s", &size));
    assert_false(lstm_object_size(&object, "r", &size));
    assert_int_equal(size, 7);
    assert_true(lstm_object_size(&object, "n", &size));
    assert_int_equal(size, 12);
    assert_false(lstm_object_double(&object, "none", &number));
    assert_false(lstm_object_double(&object, "t", &number));
    assert_true(number == 7);
    assert_true(lstm_object_double(&object, "r", &number));
    assert_true(number == -1.5);
    assert_false(lstm_object_bool(&object, "none", &truth));
    assert_false(lstm_object_bool(&object, "n", &truth));
    assert_false(lstm_object_bool(&object, "z", &truth));
    assert_true(truth);
    assert_true(lstm_object_bool(&object, "f", &truth));
    assert_false(truth);
    assert_true(lstm_object_bool(&object, "t", &truth));
    assert_true(truth);
    assert_false(lstm_object_string(&object, "none", &string));
    assert_false(lstm_object_string(&object, "f", &string));
    assert_string_equal(string, "seven");
    assert_true(lstm_object_string(&object, "s", &string));
    assert_string_equal(string, "x");
    assert_true(lstm_object_has(&object, "z"));
    assert_false(lstm_object_has(&object, ""));
    lstm_object_destroy(&object);
}

/* Reads a text as an integer. */
static bool read_size(const char *from, size_t *value)
{
    char text[64];
    lstm_json json;
    snprintf(text, sizeof(text), "%s", from);
    lstm_json_start(&json, text, strlen(text));
    return lstm_json_size(&json, value) && lstm_json_finish(&json);
}

static void integers_end_at_the_largest(void **state)
{
    (void)state;
    size_t value = 0;
    char largest[32], text[40];
    snprintf(largest, sizeof(largest), "%zu", SIZE_MAX);
    assert_true(read_size(largest, &value));
    assert_true(value == SIZE_MAX);
    /* One more, and ten times as much: the last digit of SIZE_MAX is 5. */
    snprintf(text, sizeof(text), "%s", largest);
    text[strlen(text) - 1] = '6';
    assert_false(read_size(text, &value));
    snprintf(text, sizeof(text), "%s0", largest);
    assert_false(read_size(text, &value));
    static const char *const wrong[] = {"-1", "1.0", "1e1", "1E1", "01", "00", "x", ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(read_size(wrong[i], &value));
    assert_true(value == SIZE_MAX);
    assert_true(read_size("0", &value));
    assert_int_equal(value, 0);
}

static void the_first_error_stays(void **state)
{
    (void)state;
    char text[] = "[1, 2";
    lstm_json json;
    size_t value;
    lstm_json_start(&json, text, strlen(text));
    assert_false(lstm_json_enter(&json, '{'));
    assert_string_equal(json.error, "expected {");
    assert_false(lstm_json_enter(&json, '['));
    assert_false(lstm_json_more(&json, ']'));
    assert_false(lstm_json_size(&json, &value));
    assert_null(lstm_json_key(&json));
    assert_int_equal(lstm_json_peek(&json), '\0');
    assert_false(lstm_json_finish(&json));
    assert_string_equal(json.error, "expected {");
}

/* The table of well-formed sequences in the Unicode standard (3-7). */
static size_t expected_length(const unsigned char *b)
{
    static const unsigned char rows[][5] = {
        /* first bytes, second bytes, length */
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned char *row = rows[i];
        if (b[0] < row[0] || b[0] > row[1] || b[1] < row[2] || b[1] > row[3])
            continue;
        for (size_t k = 2; k < row[4]; k++)
            if (b[k] < 0x80 || b[k] > 0xbf)
                return 0;
        return row[4];
    }
    return 0;
}

static void utf8_is_that_of_the_unicode_standard(void **state)
{
    (void)state;
    static const unsigned char ends[] = {0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < sizeof(ends); i++)
                for (size_t j = 0; j < sizeof(ends); j++) {
                    const unsigned char bytes[] = {(unsigned char)first,
                                                   (unsigned char)second, ends[i],
                                                   ends[j], 0};
                    if (lstm_utf8_length((const char *)bytes) != expected_length(bytes))
                        fail_msg("%02x %02x %02x %02x: length %zu", bytes[0], bytes[1],
                                 bytes[2], bytes[3],
                                 lstm_utf8_length((const char *)bytes));
                }
    assert_true(lstm_is_utf8(""));
    assert_true(lstm_is_utf8("\x41\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    assert_false(lstm_is_utf8("\x41\xc3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_those_of_rfc_8259),
        TEST(escapes_are_characters),
        TEST(a_part_of_a_text_that_is_too_long_is_a_failure),
        TEST(objects_end_where_they_must),
        TEST(objects_have_at_most_their_members),
        TEST(members_are_read_by_their_type),
        TEST(integers_end_at_the_largest),
        TEST(the_first_error_stays),
        TEST(utf8_is_that_of_the_unicode_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
