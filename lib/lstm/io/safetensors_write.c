#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"
#include "lib/lstm/tensor/tensor.h"

static size_t bytes_of(const lstm_tensor *tensor)
{
    return lstm_tensor_count(tensor) * sizeof(float);
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [start, end]}; NULL without memory.
 */
static json_t *describe(const lstm_tensor *tensor, size_t start)
{
    size_t end = start + bytes_of(tensor);
    json_t *shape = json_array();
    for (size_t i = 0; shape && i < tensor->rank; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]))) {
            json_decref(shape);
            shape = NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                     "data_offsets", (json_int_t)start, (json_int_t)end);
}

/* Length of the UTF-8 sequence at text; 0 when there is none. Overlong forms,
 * surrogates and what is beyond U+10FFFF are none (RFC 3629). */
static size_t sequence_length(const unsigned char *text)
{
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
    const unsigned char *next = (const unsigned char *)text;
    while (*next) {
        size_t length = sequence_length(next);
        if (length == 0)
            return false;
        next += length;
    }
    return true;
}

/* Checks a name before jansson sees it, which cannot tell bad UTF-8 from a lack of
 * memory. */
static lstm_status check_name(const lstm_record *records, size_t index)
{
    const char *name = records[index].name;
    if (!lstm_is_utf8(name))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "safetensors: name %s is no UTF-8",
                         name);
    if (strcmp(name, LSTM_METADATA_KEY) == 0)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "safetensors: name %s is that of the metadata", name);
    for (size_t i = 0; i < index; i++)
        if (strcmp(records[i].name, name) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "safetensors: name %s is there twice", name);
    return LSTM_OK;
}

/* The header as JSON; NULL when there is no memory. */
static json_t *build(const lstm_record *records, size_t count, json_t *metadata)
{
    json_t *header = json_object();
    bool failed =
        !header || (metadata && json_object_set(header, LSTM_METADATA_KEY, metadata));
    size_t start = 0;
    for (size_t i = 0; !failed && i < count; i++) {
        const lstm_tensor *tensor = records[i].tensor;
        failed = json_object_set_new(header, records[i].name, describe(tensor, start));
        start += bytes_of(tensor);
    }
    if (!failed)
        return header;
    json_decref(header);
    return NULL;
}

/* Length and text of the header, padded with spaces to a multiple of 8 as the reference
 * implementation does; freed with common_free(). */
static lstm_status print(const json_t *header, char **out, size_t *size)
{
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    if (length == 0)
        return lstm_fail_memory("safetensors");
    size_t padded = (length + 7) / 8 * 8;
    if (padded > LSTM_HEADER_LIMIT)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "safetensors: header has %zu bytes, expected at most %d",
                         padded, LSTM_HEADER_LIMIT);
    char *text = common_alloc(LSTM_LENGTH_SIZE + padded, 1);
    if (!text)
        return lstm_fail_memory("safetensors");
    for (size_t i = 0; i < LSTM_LENGTH_SIZE; i++)
        text[i] = (char)(unsigned char)((uint64_t)padded >> 8 * i);
    memset(text + LSTM_LENGTH_SIZE, ' ', padded);
    if (json_dumpb(header, text + LSTM_LENGTH_SIZE, length, JSON_COMPACT) != length) {
        common_free(text);
        return lstm_fail_memory("safetensors");
    }
    *out = text;
    *size = LSTM_LENGTH_SIZE + padded;
    return LSTM_OK;
}

/* Replaces the file; 0 or the errno of what failed. */
static int replace(const char *path, const char *header, size_t size,
                   const lstm_record *records, size_t count)
{
    common_replacement replacement = {0};
    int error = common_replace_begin(&replacement, path);
    if (error)
        return error;
    error = common_replace_write(&replacement, header, size);
    for (size_t i = 0; !error && i < count; i++)
        error = common_replace_write(&replacement, lstm_tensor_data(records[i].tensor),
                                     bytes_of(records[i].tensor));
    if (!error)
        return common_replace_commit(&replacement);
    common_replace_abandon(&replacement);
    return error;
}

lstm_status lstm_safetensors_write(const char *path, const lstm_record *records,
                                   size_t count, json_t *metadata)
{
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = check_name(records, i);
    if (status)
        return status;
    json_t *json = build(records, count, metadata);
    if (!json)
        return lstm_fail_memory("safetensors");
    char *header = NULL;
    size_t size = 0;
    status = print(json, &header, &size);
    json_decref(json);
    if (status)
        return status;
    int error = replace(path, header, size, records, count);
    common_free(header);
    return error ? lstm_fail_file(path, error) : LSTM_OK;
}
