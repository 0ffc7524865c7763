/*
 * int8 values of a file: a tensor NAME of I8 [rows, columns] has the tensor NAME_scale
 * of F32 [rows], and stands for the values q scale of its row.
 *
 * A layer of int8 is saved in this form. The product is exact for its scales, and the
 * layer quantises it to the same q and scale again: see kernels/bytes.h.
 */
#include <math.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/records.h"
#include "lib/lstm/kernels/bytes.h"
#include "lib/lstm/tensor/tensor.h"

/* Reading -----------------------------------------------------------------------------
 */

size_t lstm_stored_bytes(const lstm_file *file, const lstm_stored *stored)
{
    const lstm_stored *scale = lstm_stored_scale(file, stored);
    return stored->end - stored->start + (scale ? scale->end - scale->start : 0);
}

/* Row i of the scales in the bytes of a file. */
static float scale_at(const unsigned char *scales, size_t i)
{
    float value;
    memcpy(&value, scales + i * sizeof(value), sizeof(value));
    return value;
}

lstm_status lstm_stored_read(const lstm_file *file, const lstm_stored *stored,
                             unsigned char *data)
{
    const lstm_stored *scale = lstm_stored_scale(file, stored);
    lstm_status status = lstm_file_fetch(file, stored, data);
    if (status || !scale)
        return status;
    data += stored->end - stored->start;
    status = lstm_file_fetch(file, scale, data);
    for (size_t i = 0; !status && i < scale->count; i++) {
        float value = scale_at(data, i);
        if (!isfinite(value) || value < 0)
            return lstm_fail(LSTM_BAD_FILE,
                             "safetensors: %s: tensor %s has the value %g, expected "
                             "finite numbers of at least 0",
                             file->path, scale->name, (double)value);
    }
    return status;
}

void lstm_stored_convert(const lstm_file *file, const lstm_stored *stored,
                         const unsigned char *data, float *to)
{
    const lstm_stored *scale = lstm_stored_scale(file, stored);
    if (!scale) {
        stored->format->convert(stored->count, data, to);
        return;
    }
    const unsigned char *scales = data + stored->count;
    for (size_t row = 0; row < scale->count; row++) {
        float value = scale_at(scales, row);
        for (size_t k = 0; k < stored->shape[1]; k++, data++)
            *to++ = (float)(int8_t)*data * value;
    }
}

/* Saving ------------------------------------------------------------------------------
 */

static lstm_status check_finite(const lstm_record *record)
{
    const float *values = lstm_tensor_data(record->tensor);
    for (size_t i = 0; i < lstm_tensor_count(record->tensor); i++)
        if (!isfinite(values[i]))
            return lstm_fail(LSTM_NOT_FINITE,
                             "params: %s is %g at element %zu, expected a finite "
                             "number: the precision is int8",
                             record->name, (double)values[i], i);
    return LSTM_OK;
}

/* The bytes of a matrix, and its scales. */
static lstm_status quantise(lstm_record *record, lstm_record *scales)
{
    const lstm_tensor *tensor = record->tensor;
    size_t rows = tensor->shape[0], columns = tensor->shape[1];
    const float *row = tensor->data;
    record->bytes = common_alloc(rows, columns);
    if (!record->bytes)
        return lstm_fail_memory("params");
    lstm_status status = lstm_tensor_create(&scales->tensor, 1, &rows);
    int8_t *to = record->bytes;
    for (size_t i = 0; !status && i < rows; i++, row += columns) {
        float scale = lstm_byte_scale(row, columns);
        scales->tensor->data[i] = scale;
        for (size_t k = 0; k < columns; k++)
            *to++ = (int8_t)lstm_byte(row[k], scale);
    }
    return status;
}

lstm_status lstm_records_quantise(lstm_records *records, const lstm_params *params)
{
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        lstm_record *record = &records->items[i];
        if (!lstm_params_parameter(params, i)->bytes)
            continue;
        status = check_finite(record);
        if (status)
            return status;
        size_t size = strlen(record->name) + sizeof(LSTM_SCALE_NAME);
        char *name = common_alloc_bytes(size);
        if (!name)
            return lstm_fail_memory("params");
        memcpy(name, record->name, strlen(record->name));
        strcat(name, LSTM_SCALE_NAME);
        lstm_record *scales = &records->items[records->count++];
        *scales = (lstm_record){.name = name, .owned = true};
        status = quantise(record, scales);
    }
    return status;
}
