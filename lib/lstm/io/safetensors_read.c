#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"

lstm_status lstm_fail_file(const char *path, int error)
{
    if (error == ENOMEM)
        return lstm_fail_memory("safetensors");
    return lstm_fail(LSTM_IO_ERROR, "safetensors: %s: %s", path,
                     error == EINVAL ? "Not a regular file" : strerror(error));
}

/* Reads the next bytes; an end before them is a file that shrank meanwhile. */
static lstm_status read_bytes(lstm_safetensors *file, void *data, size_t size)
{
    int error = common_input_read(&file->input, data, size);
    if (error == ENODATA)
        return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: ended while it was read",
                         file->path);
    return error ? lstm_fail_file(file->path, error) : LSTM_OK;
}

/* Reads the length of the header and checks it against the size of the file. */
static lstm_status read_length(lstm_safetensors *file, size_t *length)
{
    unsigned char bytes[LSTM_LENGTH_SIZE];
    size_t size = file->input.size;
    if (size < LSTM_LENGTH_SIZE)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: file has %zu bytes, expected at least %d",
                         file->path, size, LSTM_LENGTH_SIZE);
    lstm_status status = read_bytes(file, bytes, LSTM_LENGTH_SIZE);
    if (status)
        return status;
    uint64_t value = 0;
    for (size_t i = LSTM_LENGTH_SIZE; i-- > 0;)
        value = value << 8 | bytes[i];
    size_t limit = size - LSTM_LENGTH_SIZE;
    if (limit > LSTM_HEADER_LIMIT)
        limit = LSTM_HEADER_LIMIT;
    if (value > limit)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: header has %llu bytes, expected at most %zu",
                         file->path, (unsigned long long)value, limit);
    *length = (size_t)value;
    return LSTM_OK;
}

static lstm_status parse(lstm_safetensors *file, const char *text, size_t length)
{
    if (length == 0 || text[0] != '{')
        return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: header does not start with {",
                         file->path);
    json_error_t error;
    lstm_status status = lstm_json_read(&file->header, text, length, &error);
    if (status != LSTM_BAD_FILE)
        return status;
    return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: header at byte %d: %s",
                     file->path, error.position, error.text);
}

static lstm_status read_header(lstm_safetensors *file)
{
    size_t length = 0;
    lstm_status status = read_length(file, &length);
    if (status)
        return status;
    char *text = common_alloc(length, 1);
    if (!text)
        return lstm_fail_memory("safetensors");
    status = read_bytes(file, text, length);
    if (!status)
        status = parse(file, text, length);
    common_free(text);
    if (status)
        return status;
    file->size = file->input.size - LSTM_LENGTH_SIZE - length;
    return lstm_header_read(file);
}

lstm_status lstm_safetensors_open(lstm_safetensors *file, const char *path)
{
    *file = (lstm_safetensors){0};
    int error = common_input_open(&file->input, path);
    if (error)
        return lstm_fail_file(path, error);
    file->path = path;
    lstm_status status = read_header(file);
    if (status)
        lstm_safetensors_close(file);
    return status;
}

void lstm_safetensors_close(lstm_safetensors *file)
{
    if (!file->path)
        return;
    common_input_close(&file->input);
    json_decref(file->header);
    common_free(file->tensors);
    *file = (lstm_safetensors){0};
}

const lstm_stored *lstm_safetensors_find(const lstm_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const lstm_stored *lstm_safetensors_find_in(const lstm_safetensors *file,
                                            const char *prefix, const char *name)
{
    size_t length = strlen(prefix);
    for (size_t i = 0; i < file->count; i++) {
        const char *full = file->tensors[i].name;
        if (strncmp(full, prefix, length) == 0 &&
            (length == 0 || full[length] == '.') &&
            strcmp(full + length + (length > 0), name) == 0)
            return &file->tensors[i];
    }
    return NULL;
}

lstm_status lstm_safetensors_read(lstm_safetensors *file, unsigned char *data)
{
    return read_bytes(file, data, file->size);
}
