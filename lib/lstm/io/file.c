/*
 * Open files: the header is in memory, values are read tensor by tensor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/common/reason.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/tensor/tensor.h"

static lstm_status fail(const char *path, int error, const char *reason)
{
    if (error == ENOMEM)
        return lstm_fail_memory("safetensors");
    return lstm_fail(LSTM_IO_ERROR, "safetensors: %s: %s", *path ? path : "''",
                     error == EINVAL ? "Not a regular file" : reason);
}

lstm_status lstm_fail_file(const char *path, int error)
{
    char text[COMMON_REASON_SIZE];
    return fail(path, error, common_reason(text, path, error));
}

lstm_status lstm_fail_write(const char *path, int error)
{
    char text[COMMON_REASON_SIZE];
    return fail(path, error, common_write_reason(text, path, error));
}

lstm_status lstm_file_bytes(const lstm_file *file, void *data, size_t size,
                            size_t offset)
{
    if (file->bytes) {
        memcpy(data, file->bytes + offset, size);
        return LSTM_OK;
    }
    int error = common_input_read_at(&file->input, data, size, offset);
    if (error == ENODATA)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: became shorter while it was read",
                         file->path);
    return error ? lstm_fail_file(file->path, error) : LSTM_OK;
}

/* Checks the length of the header against the size of the file. */
static lstm_status check_length(const lstm_file *file, uint64_t length)
{
    char fact[160];
    size_t limit = file->input.size - LSTM_LENGTH_SIZE;
    if (limit > LSTM_HEADER_LIMIT)
        limit = LSTM_HEADER_LIMIT;
    if (length <= limit)
        return LSTM_OK;
    snprintf(fact, sizeof(fact), "header has %llu bytes, expected at most %zu: %s",
             (unsigned long long)length, limit,
             length > LSTM_HEADER_LIMIT ? "not a safetensors file"
                                        : "truncated, or not a safetensors file");
    return lstm_fail_foreign(file, fact);
}

/* Reads the length of the header, and checks that the header begins. */
static lstm_status read_length(const lstm_file *file, size_t *length)
{
    char fact[96];
    unsigned char bytes[LSTM_LENGTH_SIZE + 1];
    if (file->input.size < sizeof(bytes)) {
        snprintf(fact, sizeof(fact), "file has %zu bytes, expected at least %d",
                 file->input.size, LSTM_LENGTH_SIZE + 2);
        return lstm_fail_foreign(file, fact);
    }
    lstm_status status = lstm_file_bytes(file, bytes, sizeof(bytes), 0);
    if (status)
        return status;
    uint64_t value = 0;
    for (size_t i = LSTM_LENGTH_SIZE; i-- > 0;)
        value = value << 8 | bytes[i];
    status = check_length(file, value);
    if (!status && (value == 0 || bytes[LSTM_LENGTH_SIZE] != '{'))
        status = lstm_fail_foreign(file, "header does not start with {");
    *length = (size_t)value;
    return status;
}

static lstm_status read_header(lstm_file *file)
{
    size_t length = 0;
    lstm_status status = read_length(file, &length);
    if (status)
        return status;
    file->header = common_alloc_bytes(length + 1);
    if (!file->header)
        return lstm_fail_memory("safetensors");
    file->start = LSTM_LENGTH_SIZE + length;
    file->size = file->input.size - file->start;
    status = lstm_file_bytes(file, file->header, length, LSTM_LENGTH_SIZE);
    if (!status)
        status = lstm_header_read(file, length);
    return status ? status : lstm_file_find_layers(file);
}

/* Allocates a file, which is not open; NULL if memory is exhausted. */
static lstm_file *allocate(const char *path)
{
    lstm_file *file = common_alloc_bytes(sizeof(*file));
    if (!file)
        return NULL;
    file->input.file = COMMON_NO_FILE;
    file->path = common_strdup(path);
    if (file->path)
        return file;
    common_free(file);
    return NULL;
}

/* Reads the header of an open file; closes the file if that fails. */
static lstm_status finish(lstm_file **out, lstm_file *file)
{
    lstm_status status = read_header(file);
    if (status)
        lstm_file_destroy(&file);
    *out = file;
    return status;
}

lstm_status lstm_file_open(lstm_file **out, const char *path)
{
    if (!out)
        return lstm_fail_null("file", "out");
    *out = NULL;
    if (!path)
        return lstm_fail_null("file", "path");
    lstm_file *file = allocate(path);
    if (!file)
        return lstm_fail_memory("file");
    int error = common_input_open(&file->input, path);
    if (!error)
        return finish(out, file);
    lstm_file_destroy(&file);
    return lstm_fail_file(path, error);
}

lstm_status lstm_file_open_bytes(lstm_file **out, const void *bytes, size_t size)
{
    if (!out)
        return lstm_fail_null("file", "out");
    *out = NULL;
    if (!bytes)
        return lstm_fail_null("file", "bytes");
    lstm_file *file = allocate("bytes in memory");
    if (!file)
        return lstm_fail_memory("file");
    file->bytes = bytes;
    file->input.size = size;
    return finish(out, file);
}

void lstm_file_destroy(lstm_file **file)
{
    if (!file || !*file)
        return;
    lstm_file *f = *file;
    if (f->input.file >= 0)
        common_input_close(&f->input);
    for (size_t i = 0; i < f->layers; i++)
        common_free(f->prefixes[i]);
    void *const memory[] = {f->path,    f->header,   f->tensors,  f->sorted,
                            f->extents, f->metadata, f->prefixes, f};
    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
        common_free(memory[i]);
    *file = NULL;
}

size_t lstm_file_tensor_count(const lstm_file *file)
{
    return file ? file->count : 0;
}

lstm_status lstm_file_tensor_info(const lstm_file *file, size_t index,
                                  lstm_tensor_info *info)
{
    if (!file)
        return lstm_fail_null("file", "file");
    if (!info)
        return lstm_fail_null("file", "info");
    if (index >= file->count)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "file: index is %zu, expected below %zu", index, file->count);
    const lstm_stored *stored = &file->tensors[index];
    *info = (lstm_tensor_info){.name = stored->name,
                               .dtype = stored->dtype,
                               .rank = stored->rank,
                               .shape = stored->shape,
                               .bytes = stored->end - stored->start};
    return LSTM_OK;
}

const char *lstm_file_metadata_key(const lstm_file *file, size_t index)
{
    return file && index < file->entries ? file->metadata[index].key : NULL;
}

const char *lstm_file_metadata(const lstm_file *file, const char *key)
{
    return file && key ? lstm_file_text(file, key, "") : NULL;
}

const char *lstm_file_layer_prefix(const lstm_file *file, size_t index)
{
    return file && index < file->layers ? file->prefixes[index] : NULL;
}

/* Checks that a tensor of the file can be read to `to`. */
static lstm_status check_tensor(const lstm_file *file, const lstm_stored *stored,
                                const lstm_tensor *to)
{
    char found[LSTM_SHAPE_TEXT], expected[LSTM_SHAPE_TEXT];
    bool scalar = stored->rank == 0 && to->rank == 1 && to->shape[0] == 1;
    if (!scalar && !lstm_tensor_has_shape(to, stored->rank, stored->shape))
        return lstm_fail(LSTM_SHAPE_MISMATCH, "file: %s: tensor %s is %s, expected %s",
                         file->path, stored->name, lstm_stored_shape(found, stored),
                         lstm_shape_text(expected, to->rank, to->shape));
    return lstm_stored_check(file, "file", stored);
}

/* Reads a tensor after check_tensor(). */
static lstm_status read_values(const lstm_file *file, const lstm_stored *stored,
                               lstm_tensor *to)
{
    /* The float32 values, then the bytes of the file. */
    size_t bytes = lstm_stored_bytes(file, stored), room;
    if (!common_multiply(stored->count, sizeof(float), &room) ||
        !common_add(room, bytes, &room))
        return lstm_fail_memory("file");
    float *values = common_alloc_bytes(room);
    if (!values)
        return lstm_fail_memory("file");
    unsigned char *data = (unsigned char *)(values + stored->count);
    lstm_status status = lstm_stored_read(file, stored, data);
    if (!status) {
        lstm_stored_convert(file, stored, data, values);
        lstm_tensor_scatter(to, values);
    }
    common_free(values);
    return status;
}

lstm_status lstm_file_read_tensor(lstm_file *file, const char *name, lstm_tensor *to)
{
    if (!file)
        return lstm_fail_null("file", "file");
    if (!name)
        return lstm_fail_null("file", "name");
    if (!to)
        return lstm_fail_null("file", "to");
    const lstm_stored *stored = lstm_file_find(file, name);
    if (!stored)
        return lstm_fail_missing(file, "file", "", name);
    lstm_status status = check_tensor(file, stored, to);
    return status ? status : read_values(file, stored, to);
}
