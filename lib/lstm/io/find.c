/*
 * Look-ups in an open file: binary search in sorted names and keys.
 */
#include <stdio.h>
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/tensor/tensor.h"

int lstm_compare_joined(const char *first, const char *second, const char *whole)
{
    size_t length = strlen(first);
    int order = strncmp(first, whole, length);
    return order ? order : strcmp(second, whole + length);
}

/* Compares a name in three parts, without joining them. */
static int compare_parts(const char *const *parts, const char *name)
{
    size_t length = strlen(parts[0]);
    int order = strncmp(parts[0], name, length);
    return order ? order : lstm_compare_joined(parts[1], parts[2], name + length);
}

static const lstm_stored *find(const lstm_file *file, const char *const *parts)
{
    size_t low = 0, high = file->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_parts(parts, file->sorted[middle]->name);
        if (order == 0)
            return file->sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const lstm_stored *lstm_file_find(const lstm_file *file, const char *name)
{
    return find(file, (const char *const[]){"", "", name});
}

const lstm_stored *lstm_stored_scale(const lstm_file *file, const lstm_stored *stored)
{
    if (strcmp(stored->dtype, "I8") != 0 || stored->rank != 2)
        return NULL;
    const lstm_stored *scale =
        find(file, (const char *const[]){stored->name, LSTM_SCALE_NAME, ""});
    bool fits = scale && strcmp(scale->dtype, "F32") == 0 && scale->rank == 1 &&
                scale->shape[0] == stored->shape[0];
    return fits ? scale : NULL;
}

const lstm_stored *lstm_file_find_in(const lstm_file *file, const char *prefix,
                                     const char *name)
{
    return find(file, (const char *const[]){prefix, *prefix ? "." : "", name});
}

/* Whether a name begins with these parts. */
static bool begins_with(const char *const *parts, const char *name)
{
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(parts[i]);
        if (strncmp(parts[i], name, length) != 0)
            return false;
        name += length;
    }
    return true;
}

size_t lstm_file_range(const lstm_file *file, const char *prefix, const char *start,
                       size_t *count)
{
    const char *const parts[] = {prefix, *prefix ? "." : "", start};
    size_t low = 0, high = file->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_parts(parts, file->sorted[middle]->name) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < file->count; high++)
        if (!begins_with(parts, file->sorted[high]->name))
            break;
    *count = high - low;
    return low;
}

const char *lstm_file_text(const lstm_file *file, const char *first, const char *second)
{
    size_t low = 0, high = file->entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lstm_compare_joined(first, second, file->metadata[middle].key);
        if (order == 0)
            return file->metadata[middle].value;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

lstm_status lstm_file_fetch(const lstm_file *file, const lstm_stored *stored,
                            unsigned char *data)
{
    char found[LSTM_CRC_TEXT];
    size_t size = stored->end - stored->start;
    lstm_status status = lstm_file_bytes(file, data, size, file->start + stored->start);
    if (status)
        return status;
    const char *expected = lstm_file_text(file, LSTM_CRC_KEY, stored->name);
    if (!expected)
        return LSTM_OK;
    lstm_checksum_data(found, data, size);
    if (strcmp(found, expected) == 0)
        return LSTM_OK;
    return lstm_fail(LSTM_BAD_FILE,
                     "safetensors: %s: tensor %s: checksum of the data is %s, expected "
                     "%s",
                     file->path, stored->name, found, expected);
}

const char *lstm_stored_shape(char *text, const lstm_stored *stored)
{
    if (stored->rank <= LSTM_SHOWN_RANK)
        return lstm_shape_text(text, stored->rank, stored->shape);
    snprintf(text, LSTM_SHAPE_TEXT, "of rank %zu", stored->rank);
    return text;
}

lstm_status lstm_stored_check(const lstm_file *file, const char *object,
                              const lstm_stored *stored)
{
    if ((stored->format && stored->format->convert) || lstm_stored_scale(file, stored))
        return LSTM_OK;
    const bool bytes = strcmp(stored->dtype, "I8") == 0 && stored->rank == 2;
    const lstm_stored *scale =
        bytes ? find(file, (const char *const[]){stored->name, LSTM_SCALE_NAME, ""})
              : NULL;
    char shape[LSTM_SHAPE_TEXT];
    if (scale)
        return lstm_fail(LSTM_BAD_FILE,
                         "%s: %s: tensor %s is %s %s, expected F32 [%zu]", object,
                         file->path, scale->name, scale->dtype,
                         lstm_stored_shape(shape, scale), stored->shape[0]);
    if (bytes)
        return lstm_fail(
            LSTM_BAD_FILE,
            "%s: %s: tensor %s is I8, expected F32, F64, F16 or BF16: "
            "quantised weights need their scales, tensor %s" LSTM_SCALE_NAME
            " of F32 [%zu]",
            object, file->path, stored->name, stored->name, stored->shape[0]);
    bool small = stored->format && stored->format->bits <= 8 &&
                 strcmp(stored->dtype, "BOOL") != 0;
    return lstm_fail(LSTM_BAD_FILE,
                     "%s: %s: tensor %s is %s, expected F32, F64, F16 or BF16%s",
                     object, file->path, stored->name, stored->dtype,
                     small ? ": quantised weights are not supported" : "");
}
