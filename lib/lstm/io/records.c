#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/records.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

/* Joins three texts; NULL when there is no memory. */
static char *join(const char *first, const char *second, const char *third)
{
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *joined = common_alloc(size, 1);
    if (joined)
        snprintf(joined, size, "%s%s%s", first, second, third);
    return joined;
}

/* The name of a parameter in the file, after beginning: the first pair whose first half
 * the name begins with puts its second half in that place. */
static char *file_name(const char *beginning, const char *name,
                       const lstm_file_options *options)
{
    for (size_t i = 0; i < options->rename_count; i++) {
        const char *from = options->rename[2 * i], *to = options->rename[2 * i + 1];
        if (strncmp(name, from, strlen(from)) == 0)
            return join(beginning, to, name + strlen(from));
    }
    return join(beginning, "", name);
}

static lstm_status append(lstm_records *records, char *name, lstm_tensor *tensor)
{
    if (!name)
        return lstm_fail_memory("params");
    records->items[records->count++] = (lstm_record){name, tensor};
    return LSTM_OK;
}

static lstm_status append_moments(lstm_records *records, const lstm_params *params,
                                  const lstm_file_options *options, size_t index)
{
    const lstm_adam_moments *moments = lstm_adam_get_moments(options->adam, index);
    const struct {
        const char *beginning;
        lstm_tensor *tensor;
    } parts[] = {
        {LSTM_ADAM_NAME "exp_avg.", moments->first},
        {LSTM_ADAM_NAME "exp_avg_sq.", moments->second},
        {LSTM_ADAM_NAME "max_exp_avg_sq.", moments->largest},
    };
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < 3; i++)
        if (parts[i].tensor)
            status = append(
                records,
                file_name(parts[i].beginning, lstm_params_name(params, index), options),
                parts[i].tensor);
    return status;
}

lstm_status lstm_records_create(lstm_records *records, const lstm_params *params,
                                const lstm_file_options *options)
{
    size_t size = lstm_params_size(params);
    *records = (lstm_records){common_alloc(size, 4 * sizeof(lstm_record)), 0};
    if (!records->items)
        return lstm_fail_memory("params");
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < size; i++)
        status = append(records, file_name("", lstm_params_name(params, i), options),
                        lstm_params_value(params, i));
    for (size_t i = 0; !status && options->adam && i < size; i++)
        status = append_moments(records, params, options, i);
    if (status)
        lstm_records_destroy(records);
    return status;
}

void lstm_records_destroy(lstm_records *records)
{
    for (size_t i = 0; i < records->count; i++)
        common_free(records->items[i].name);
    common_free(records->items);
    *records = (lstm_records){0};
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

static bool has_name(const lstm_records *records, const char *name)
{
    for (size_t i = 0; i < records->count; i++)
        if (strcmp(records->items[i].name, name) == 0)
            return true;
    return false;
}

lstm_status lstm_records_check(const lstm_records *records,
                               const lstm_safetensors *file, bool surplus)
{
    for (size_t i = 0; i < records->count; i++) {
        const lstm_record *record = &records->items[i];
        const lstm_stored *stored = lstm_safetensors_find(file, record->name);
        if (!stored)
            return lstm_fail(LSTM_BAD_FILE, "params: %s: tensor %s is missing",
                             file->path, record->name);
        lstm_status status = check_tensor(file, stored, record->tensor);
        if (status)
            return status;
    }
    for (size_t i = 0; !surplus && i < file->count; i++) {
        const char *name = file->tensors[i].name;
        if (strncmp(name, LSTM_ADAM_NAME, strlen(LSTM_ADAM_NAME)) != 0 &&
            !has_name(records, name))
            return lstm_fail(LSTM_BAD_FILE,
                             "params: %s: tensor %s is none of the set's", file->path,
                             name);
    }
    return LSTM_OK;
}

size_t lstm_records_fill(const lstm_records *records, const lstm_safetensors *file,
                         const unsigned char *data)
{
    size_t converted = 0;
    for (size_t i = 0; i < records->count; i++) {
        const lstm_stored *stored = lstm_safetensors_find(file, records->items[i].name);
        stored->dtype->convert(stored->count, data + stored->start,
                               records->items[i].tensor->data);
        converted += strcmp(stored->dtype->name, "F32") != 0;
    }
    return converted;
}
