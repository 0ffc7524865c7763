/*
 * Sets of parameters in safetensors files.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

lstm_status lstm_params_save(const lstm_params *params, const char *path)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!path)
        return lstm_fail_null("params", "path");
    size_t count = lstm_params_size(params);
    lstm_record *records = common_alloc(count, sizeof(*records));
    if (!records)
        return lstm_fail_memory("params");
    for (size_t i = 0; i < count; i++)
        records[i] =
            (lstm_record){lstm_params_name(params, i), lstm_params_value(params, i)};
    lstm_status status = lstm_safetensors_write(path, records, count, NULL);
    common_free(records);
    return status;
}

/* Checks that a tensor of the file can become a parameter. */
static lstm_status check_tensor(const lstm_safetensors *file, const lstm_stored *stored,
                                const lstm_tensor *value)
{
    char found[LSTM_SHAPE_TEXT], expected[LSTM_SHAPE_TEXT];
    if (stored->rank != value->rank ||
        memcmp(stored->shape, value->shape, value->rank * sizeof(*value->shape)) != 0)
        return lstm_fail(
            LSTM_SHAPE_MISMATCH, "params: %s: tensor %s is %s, expected %s", file->path,
            stored->name, lstm_shape_text(found, stored->rank, stored->shape),
            lstm_shape_text(expected, value->rank, value->shape));
    if (!stored->dtype->convert)
        return lstm_fail(LSTM_BAD_FILE,
                         "params: %s: tensor %s is %s, expected F32, F64, F16 or BF16",
                         file->path, stored->name, stored->dtype->name);
    return LSTM_OK;
}

static bool has_name(const lstm_params *params, const char *name)
{
    for (size_t i = 0; i < lstm_params_size(params); i++)
        if (strcmp(lstm_params_name(params, i), name) == 0)
            return true;
    return false;
}

/* Checks that the file has the tensors of the set and no other. */
static lstm_status check_file(const lstm_params *params, const lstm_safetensors *file)
{
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const char *name = lstm_params_name(params, i);
        const lstm_stored *stored = lstm_safetensors_find(file, name);
        if (!stored)
            return lstm_fail(LSTM_BAD_FILE, "params: %s: tensor %s is missing",
                             file->path, name);
        lstm_status status = check_tensor(file, stored, lstm_params_value(params, i));
        if (status)
            return status;
    }
    for (size_t i = 0; i < file->count; i++)
        if (!has_name(params, file->tensors[i].name))
            return lstm_fail(
                LSTM_BAD_FILE, "params: %s: tensor %s is none of the set's %zu",
                file->path, file->tensors[i].name, lstm_params_size(params));
    return LSTM_OK;
}

/* Reads a file that has been checked; only when all of it is there values change. */
static lstm_status read_values(const lstm_params *params, lstm_safetensors *file)
{
    unsigned char *data = common_alloc(file->size, 1);
    if (!data)
        return lstm_fail_memory("params");
    lstm_status status = lstm_safetensors_read(file, data);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        lstm_parameter *parameter = lstm_params_parameter(params, i);
        const lstm_stored *stored =
            lstm_safetensors_find(file, lstm_params_name(params, i));
        stored->dtype->convert(stored->count, data + stored->start,
                               parameter->value->data);
        (*parameter->version)++;
    }
    common_free(data);
    return status;
}

lstm_status lstm_params_load(lstm_params *params, const char *path)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!path)
        return lstm_fail_null("params", "path");
    lstm_safetensors file;
    lstm_status status = lstm_safetensors_open(&file, path);
    if (status)
        return status;
    status = check_file(params, &file);
    if (!status)
        status = read_values(params, &file);
    lstm_safetensors_close(&file);
    return status;
}
