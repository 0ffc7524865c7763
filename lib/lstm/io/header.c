/*
 * The header of a safetensors file: what each tensor says of itself, and whether all of
 * them together take every byte of the file exactly once. Nothing is believed: every
 * size is checked before it is used.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"

static lstm_status fail_tensor(const lstm_safetensors *file, const char *name,
                               const char *fact)
{
    return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: tensor %s: %s", file->path, name,
                     fact);
}

/* A size out of a JSON array; false when it is no integer from 0 to SIZE_MAX. */
static bool get_size(const json_t *array, size_t index, size_t *size)
{
    const json_t *item = json_array_get(array, index);
    if (!json_is_integer(item) || json_integer_value(item) < 0 ||
        (uintmax_t)json_integer_value(item) > SIZE_MAX)
        return false;
    *size = (size_t)json_integer_value(item);
    return true;
}

static lstm_status read_dtype(const lstm_safetensors *file, lstm_stored *tensor,
                              const json_t *value)
{
    if (!json_is_string(value))
        return fail_tensor(file, tensor->name, "dtype is no string");
    tensor->dtype = lstm_dtype_find(json_string_value(value));
    if (!tensor->dtype)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: dtype %s is unknown", file->path,
                         tensor->name, json_string_value(value));
    return LSTM_OK;
}

static lstm_status read_shape(const lstm_safetensors *file, lstm_stored *tensor,
                              const json_t *value)
{
    if (!json_is_array(value))
        return fail_tensor(file, tensor->name, "shape is no array");
    tensor->rank = json_array_size(value);
    tensor->count = 1;
    if (tensor->rank > LSTM_STORED_RANK)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: rank is %zu, expected at most %d",
                         file->path, tensor->name, tensor->rank, LSTM_STORED_RANK);
    for (size_t i = 0; i < tensor->rank; i++) {
        if (!get_size(value, i, &tensor->shape[i]))
            return lstm_fail(
                LSTM_BAD_FILE,
                "safetensors: %s: tensor %s: extent of axis %zu is no size", file->path,
                tensor->name, i);
        if (!common_multiply(tensor->count, tensor->shape[i], &tensor->count))
            return fail_tensor(file, tensor->name, "shape is larger than any memory");
    }
    return LSTM_OK;
}

static lstm_status read_offsets(const lstm_safetensors *file, lstm_stored *tensor,
                                const json_t *value)
{
    size_t size;
    if (!json_is_array(value) || json_array_size(value) != 2 ||
        !get_size(value, 0, &tensor->start) || !get_size(value, 1, &tensor->end))
        return fail_tensor(file, tensor->name, "data_offsets are no two sizes");
    if (tensor->start > tensor->end || tensor->end > file->size)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: data_offsets are %zu and %zu, "
                         "expected to rise and to end at %zu at most",
                         file->path, tensor->name, tensor->start, tensor->end,
                         file->size);
    if (!common_multiply(tensor->count, tensor->dtype->size, &size) ||
        size != tensor->end - tensor->start)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: data has %zu bytes, expected %zu "
                         "values of %zu bytes",
                         file->path, tensor->name, tensor->end - tensor->start,
                         tensor->count, tensor->dtype->size);
    return LSTM_OK;
}

static lstm_status read_tensor(const lstm_safetensors *file, lstm_stored *tensor,
                               const json_t *value)
{
    const json_t *dtype = json_object_get(value, "dtype");
    const json_t *shape = json_object_get(value, "shape");
    const json_t *offsets = json_object_get(value, "data_offsets");
    if (json_object_size(value) != 3 || !dtype || !shape || !offsets)
        return fail_tensor(file, tensor->name,
                           "expected dtype, shape and data_offsets, and nothing else");
    lstm_status status = read_dtype(file, tensor, dtype);
    if (!status)
        status = read_shape(file, tensor, shape);
    return status ? status : read_offsets(file, tensor, offsets);
}

static lstm_status check_metadata(const lstm_safetensors *file, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: " LSTM_METADATA_KEY " is no object",
                         file->path);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return lstm_fail(LSTM_BAD_FILE,
                             "safetensors: %s: " LSTM_METADATA_KEY
                             ": value of %s is no string",
                             file->path, key);
    }
    return LSTM_OK;
}

/* By the place in the file; an empty tensor comes before what starts where it is. */
static int compare(const void *first, const void *second)
{
    const lstm_stored *a = first, *b = second;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* Checks that tensors take every byte, and none twice. */
static lstm_status check_cover(lstm_safetensors *file)
{
    size_t end = 0;
    qsort(file->tensors, file->count, sizeof(*file->tensors), compare);
    for (size_t i = 0; i < file->count; i++) {
        const lstm_stored *tensor = &file->tensors[i];
        if (tensor->start != end)
            return lstm_fail(LSTM_BAD_FILE,
                             "safetensors: %s: tensor %s: data starts at %zu, expected "
                             "%zu, where the tensor before it ends",
                             file->path, tensor->name, tensor->start, end);
        end = tensor->end;
    }
    if (end != file->size)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: data has %zu bytes, expected %zu",
                         file->path, file->size, end);
    return LSTM_OK;
}

lstm_status lstm_header_read(lstm_safetensors *file)
{
    const char *key;
    json_t *value;
    file->tensors = common_alloc(json_object_size(file->header), sizeof(lstm_stored));
    if (!file->tensors)
        return lstm_fail_memory("safetensors");
    json_object_foreach(file->header, key, value)
    {
        lstm_status status;
        if (strcmp(key, LSTM_METADATA_KEY) == 0) {
            status = check_metadata(file, value);
        } else {
            lstm_stored *tensor = &file->tensors[file->count++];
            tensor->name = key;
            status = read_tensor(file, tensor, value);
        }
        if (status)
            return status;
    }
    return check_cover(file);
}
