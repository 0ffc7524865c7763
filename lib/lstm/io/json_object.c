/*
 * Flat JSON objects, which are texts in the metadata of a file.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/core/text.h"
#include "lib/lstm/io/json.h"

/* Skips digits; returns false without a digit. */
static bool skip_digits(lstm_json *json)
{
    const char *begin = json->next;
    while (*json->next >= '0' && *json->next <= '9')
        json->next++;
    return json->next > begin;
}

/* Skips a number such as -12.5e-3; leading zeros are not valid. */
static bool skip_number(lstm_json *json)
{
    json->next += *json->next == '-';
    const char *whole = json->next;
    if (!skip_digits(json) || (*whole == '0' && json->next > whole + 1))
        return false;
    if (*json->next == '.') {
        json->next++;
        if (!skip_digits(json))
            return false;
    }
    if (*json->next != 'e' && *json->next != 'E')
        return true;
    json->next++;
    json->next += *json->next == '-' || *json->next == '+';
    return skip_digits(json);
}

static bool skip_word(lstm_json *json, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(json->next, word, length) != 0)
        return false;
    json->next += length;
    return true;
}

/* Reads a value; returns false if it is not a valid scalar. */
static bool read_value(lstm_json *json, lstm_member *member)
{
    char next = lstm_json_peek(json);
    member->text = json->next;
    member->kind = next;
    switch (next) {
    case '"':
        return (member->text = lstm_json_string(json));
    case 't':
        return skip_word(json, "true");
    case 'f':
        return skip_word(json, "false");
    case 'n':
        return skip_word(json, "null");
    default:
        member->kind = '0';
        return skip_number(json);
    }
}

static const lstm_member *find(const lstm_object *object, const char *key)
{
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->members[i].key, key) == 0)
            return &object->members[i];
    return NULL;
}

static bool read_members(lstm_object *object, lstm_json *json)
{
    if (!lstm_json_enter(json, '{'))
        return false;
    while (lstm_json_more(json, '}')) {
        const char *key = lstm_json_key(json);
        if (!key || object->count == LSTM_MEMBERS || find(object, key))
            return false;
        lstm_member *member = &object->members[object->count++];
        member->key = key;
        if (!read_value(json, member))
            return false;
    }
    return lstm_json_finish(json);
}

lstm_status lstm_object_read(lstm_object *object, const char *text)
{
    lstm_json json;
    object->count = 0;
    object->text = common_strdup(text);
    if (!object->text)
        return lstm_fail_memory("params");
    lstm_json_start(&json, object->text, strlen(text));
    if (read_members(object, &json))
        return LSTM_OK;
    lstm_object_destroy(object);
    return LSTM_BAD_FILE;
}

void lstm_object_destroy(lstm_object *object)
{
    common_free(object->text);
    object->text = NULL;
}

bool lstm_object_has(const lstm_object *object, const char *key)
{
    return find(object, key);
}

bool lstm_object_size(const lstm_object *object, const char *key, size_t *value)
{
    const lstm_member *member = find(object, key);
    if (!member || member->kind != '0')
        return false;
    lstm_json json = {.next = (char *)member->text, .end = (char *)member->text};
    return lstm_json_size(&json, value);
}

bool lstm_object_double(const lstm_object *object, const char *key, double *value)
{
    const lstm_member *member = find(object, key);
    if (!member || member->kind != '0')
        return false;
    *value = lstm_double_read(member->text);
    return true;
}

bool lstm_object_bool(const lstm_object *object, const char *key, bool *value)
{
    const lstm_member *member = find(object, key);
    if (!member || (member->kind != 't' && member->kind != 'f'))
        return false;
    *value = member->kind == 't';
    return true;
}

bool lstm_object_string(const lstm_object *object, const char *key, const char **value)
{
    const lstm_member *member = find(object, key);
    if (!member || member->kind != '"')
        return false;
    *value = member->text;
    return true;
}
