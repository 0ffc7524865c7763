/* The reader of flat JSON objects. An object that is accepted is written and read
 * again: it has the same members. */
#include <math.h>

#include "lib/lstm/io/json.h"
#include "tests/fuzz/fuzz.h"

static void write_value(lstm_text *text, const lstm_object *object,
                        const lstm_member *member)
{
    double number;
    bool truth;
    const char *string;
    if (lstm_object_string(object, member->key, &string)) {
        lstm_text_string(text, string);
    } else if (lstm_object_bool(object, member->key, &truth)) {
        lstm_text_add(text, "%s", truth ? "true" : "false");
    } else if (lstm_object_double(object, member->key, &number)) {
        FUZZ_CHECK(!isnan(number));
        if (isfinite(number))
            lstm_text_double(text, number);
        else
            lstm_text_add(text, number > 0 ? "1e999" : "-1e999");
    } else {
        FUZZ_CHECK(member->kind == 'n');
        lstm_text_add(text, "null");
    }
}

static void write_object(lstm_text *text, const lstm_object *object)
{
    for (size_t i = 0; i < object->count; i++) {
        lstm_text_add(text, "%s", i ? "," : "{");
        lstm_text_string(text, object->members[i].key);
        lstm_text_add(text, ":");
        write_value(text, object, &object->members[i]);
    }
    lstm_text_add(text, object->count ? "}" : "{}");
}

static void compare(const lstm_object *one, const lstm_object *other)
{
    FUZZ_CHECK(one->count == other->count);
    for (size_t i = 0; i < one->count; i++) {
        const char *key = one->members[i].key, *string, *again;
        double number, same;
        size_t size = 0, back = 0;
        FUZZ_CHECK(strcmp(key, other->members[i].key) == 0);
        FUZZ_CHECK(one->members[i].kind == other->members[i].kind);
        if (lstm_object_string(one, key, &string))
            FUZZ_CHECK(lstm_object_string(other, key, &again) &&
                       strcmp(string, again) == 0 && lstm_is_utf8(string));
        if (lstm_object_double(one, key, &number))
            FUZZ_CHECK(lstm_object_double(other, key, &same) && number == same);
        /* Doubles have all integers up to 2^53. */
        if (lstm_object_size(one, key, &size) && size < (size_t)1 << 53 &&
            lstm_object_size(other, key, &back))
            FUZZ_CHECK(size == back);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    char *text = fuzz_text(&input, 0);
    lstm_object object, again;
    if (!lstm_object_read(&object, text)) {
        lstm_text written = {0};
        write_object(&written, &object);
        FUZZ_CHECK(!written.failed);
        FUZZ_CHECK(!lstm_object_read(&again, written.data));
        compare(&object, &again);
        lstm_text_destroy(&written);
        lstm_object_destroy(&again);
        lstm_object_destroy(&object);
    }
    free(text);
    return 0;
}
