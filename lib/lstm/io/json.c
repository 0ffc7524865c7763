#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Whether a text was refused for lack of memory. jansson says so, or says nothing, or
 * takes a string that it cannot keep for no token. The last byte that it read is then
 * the end of the string, where these two errors of syntax never are. */
static bool ran_out(const char *text, const json_error_t *error)
{
    bool no_token = begins_with(error->text, "invalid token") ||
                    begins_with(error->text, "string or '}' expected");
    return error->text[0] == '\0' ||
           json_error_code(error) == json_error_out_of_memory ||
           (no_token && error->position > 0 && text[error->position - 1] == '"');
}

lstm_status lstm_json_read(json_t **out, const char *text, size_t length,
                           json_error_t *error)
{
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES, error);
    if (*out)
        return LSTM_OK;
    return ran_out(text, error) ? lstm_fail_memory("params") : LSTM_BAD_FILE;
}

/* jansson ends the process when memory fails in the middle of a number. Its buffer of
 * 16 bytes grows with the longest token and stays: behind this key, whose lack of
 * memory is an error like others, no number that a double needs makes it grow. */
static const char first_key[] = "{\"behind this, numbers are safe\":0,";

/* Reads an object with first_key put before its keys. */
static lstm_status read_object(json_t **out, const char *text)
{
    json_error_t error;
    size_t start = strlen(first_key), length = strlen(text);
    if (*text != '{')
        return LSTM_BAD_FILE;
    char *longer = common_alloc(start + length, 1);
    if (!longer)
        return lstm_fail_memory("params");
    memcpy(longer, first_key, start);
    memcpy(longer + start, text + 1, length - 1);
    lstm_status status = lstm_json_read(out, longer, start + length - 1, &error);
    common_free(longer);
    return status;
}

lstm_status lstm_json_unpack(const char *text, size_t count, const char *format, ...)
{
    json_t *json;
    json_error_t error;
    lstm_status status = read_object(&json, text);
    if (status)
        return status;
    va_list arguments;
    va_start(arguments, format);
    int failed = json_vunpack_ex(json, &error, 0, format, arguments);
    va_end(arguments);
    /* A ! in the format would count, too, and count wrong when memory ends. */
    bool surplus = json_object_size(json) != count + 1;
    json_decref(json);
    if (failed && json_error_code(&error) == json_error_out_of_memory)
        return lstm_fail_memory("params");
    return failed || surplus ? LSTM_BAD_FILE : LSTM_OK;
}
