#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/tensor/tensor.h"

const void *lstm_record_data(const lstm_record *record)
{
    return record->bytes ? (const void *)record->bytes
                         : lstm_tensor_data(record->tensor);
}

size_t lstm_record_size(const lstm_record *record)
{
    return lstm_tensor_count(record->tensor) * (record->bytes ? 1 : sizeof(float));
}

/* Tensors of the header, in order and sorted by name. */
typedef struct description {
    lstm_stored *tensors;
    const lstm_stored **sorted;
    size_t count;
} description;

static void destroy(description *d)
{
    common_free(d->tensors);
    common_free(d->sorted);
}

static lstm_status describe(description *d, const lstm_record *records, size_t count)
{
    *d = (description){common_alloc(count, sizeof(*d->tensors)),
                       common_alloc(count, sizeof(*d->sorted)), count};
    if (!d->tensors || !d->sorted) {
        destroy(d);
        return lstm_fail_memory("safetensors");
    }
    for (size_t i = 0, start = 0; i < count; i++) {
        const lstm_tensor *tensor = records[i].tensor;
        size_t end = start + lstm_record_size(&records[i]);
        d->tensors[i] = (lstm_stored){.name = records[i].name,
                                      .dtype = records[i].bytes ? "I8" : "F32",
                                      .rank = tensor->rank,
                                      .shape = tensor->shape,
                                      .start = start,
                                      .end = end};
        d->sorted[i] = &d->tensors[i];
        start = end;
    }
    if (count > 0)
        qsort(d->sorted, count, sizeof(*d->sorted), lstm_stored_compare);
    return LSTM_OK;
}

static lstm_status check_names(const description *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const char *name = d->sorted[i]->name;
        if (!lstm_is_utf8(name))
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "safetensors: name %s is not valid UTF-8", name);
        if (strcmp(name, LSTM_METADATA_KEY) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "safetensors: name %s is reserved for the metadata", name);
        if (i > 0 && strcmp(d->sorted[i - 1]->name, name) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "safetensors: name %s appears twice", name);
    }
    return LSTM_OK;
}

/* Sorts the metadata and adds the checksum of the header. */
static lstm_status add_checksum(lstm_metadata *metadata, const description *d)
{
    char text[LSTM_CRC_TEXT];
    size_t count = metadata->count;
    if (count > 0)
        qsort(metadata->items, count, sizeof(*metadata->items), lstm_entry_compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(metadata->items[i - 1].key, metadata->items[i].key) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "params: metadata key %s appears twice",
                             metadata->items[i].key);
    lstm_checksum_header(text, d->sorted, d->count, metadata->items, count);
    return lstm_metadata_add(metadata, LSTM_CHECKSUM_KEY, "", text);
}

/* "NAME":{"dtype":"F32","shape":[...],"data_offsets":[start,end]} */
static void write_tensor(lstm_text *text, const lstm_stored *tensor)
{
    lstm_text_string(text, tensor->name);
    lstm_text_add(text, ":{\"dtype\":\"%s\",\"shape\":[", tensor->dtype);
    for (size_t i = 0; i < tensor->rank; i++)
        lstm_text_add(text, "%s%zu", i > 0 ? "," : "", tensor->shape[i]);
    lstm_text_add(text, "],\"data_offsets\":[%zu,%zu]}", tensor->start, tensor->end);
}

/* Length and text of the header, padded with spaces to a multiple of 8 as the reference
 * implementation does. */
static void write_header(lstm_text *text, const description *d,
                         const lstm_metadata *metadata)
{
    lstm_text_bytes(text, "\0\0\0\0\0\0\0", LSTM_LENGTH_SIZE);
    lstm_text_add(text, "{\"" LSTM_METADATA_KEY "\":{");
    for (size_t i = 0; i < metadata->count; i++) {
        lstm_text_add(text, i > 0 ? "," : "");
        lstm_text_string(text, metadata->items[i].key);
        lstm_text_add(text, ":");
        lstm_text_string(text, metadata->items[i].value);
    }
    lstm_text_add(text, "}");
    for (size_t i = 0; i < d->count; i++) {
        lstm_text_add(text, ",");
        write_tensor(text, &d->tensors[i]);
    }
    lstm_text_add(text, "}");
    while (text->size % LSTM_LENGTH_SIZE != 0 && !text->failed)
        lstm_text_add(text, " ");
    for (size_t i = 0; i < LSTM_LENGTH_SIZE && !text->failed; i++)
        text->data[i] = (char)((uint64_t)(text->size - LSTM_LENGTH_SIZE) >> 8 * i);
}

/* Replaces the file; returns 0 or an errno. */
static int replace(const char *path, const lstm_text *header,
                   const lstm_record *records, size_t count)
{
    common_replacement replacement = {0};
    int error = common_replace_begin(&replacement, path);
    if (error)
        return error;
    error = common_replace_write(&replacement, header->data, header->size);
    for (size_t i = 0; !error && i < count; i++)
        error = common_replace_write(&replacement, lstm_record_data(&records[i]),
                                     lstm_record_size(&records[i]));
    if (!error)
        return common_replace_commit(&replacement);
    common_replace_abandon(&replacement);
    return error;
}

static lstm_status write_file(const char *path, const lstm_record *records,
                              const description *d, const lstm_metadata *metadata)
{
    lstm_text header = {0};
    write_header(&header, d, metadata);
    if (header.failed)
        return lstm_fail_memory("safetensors");
    lstm_status status = LSTM_OK;
    size_t bytes = header.size - LSTM_LENGTH_SIZE;
    if (bytes > LSTM_HEADER_LIMIT)
        status = lstm_fail(LSTM_INVALID_ARGUMENT,
                           "safetensors: header has %zu bytes, expected at most %d",
                           bytes, LSTM_HEADER_LIMIT);
    int error = status ? 0 : replace(path, &header, records, d->count);
    if (error)
        status = lstm_fail_write(path, error);
    lstm_text_destroy(&header);
    return status;
}

lstm_status lstm_safetensors_write(const char *path, const lstm_record *records,
                                   size_t count, lstm_metadata *metadata)
{
    description d;
    lstm_status status = describe(&d, records, count);
    if (status)
        return status;
    status = check_names(&d);
    if (!status)
        status = add_checksum(metadata, &d);
    if (!status)
        status = write_file(path, records, &d, metadata);
    destroy(&d);
    return status;
}
