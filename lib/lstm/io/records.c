#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/records.h"
#include "lib/lstm/tensor/tensor.h"

/* Joins three texts; NULL if memory is exhausted. */
static char *join(const char *first, const char *second, const char *third)
{
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *joined = common_alloc_bytes(size);
    if (joined)
        snprintf(joined, size, "%s%s%s", first, second, third);
    return joined;
}

/* The name of a parameter in the file: beginning, then the name, renamed by the first
 * matching pair of the options. */
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
    records->items[records->count++] = (lstm_record){.name = name, .tensor = tensor};
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
    /* A parameter, its moments, and its scales. */
    enum { ROOM = 5 };
    size_t size = lstm_params_size(params);
    *records =
        (lstm_records){common_alloc(size, ROOM * sizeof(lstm_record)), 0, "params"};
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
    for (size_t i = 0; i < records->count; i++) {
        lstm_record *record = &records->items[i];
        common_free(record->name);
        common_free(record->bytes);
        if (record->owned)
            lstm_tensor_destroy(&record->tensor);
    }
    common_free(records->items);
    *records = (lstm_records){0};
}

lstm_status lstm_records_create_named(lstm_records *records, const char *object,
                                      const char *prefix, const char *end,
                                      const lstm_parameter *parameters, size_t count)
{
    *records = (lstm_records){common_alloc(count, sizeof(lstm_record)), 0, object};
    if (!records->items)
        return lstm_fail_memory(object);
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        char *name = join(prefix, *prefix ? "." : "", parameters[i].name);
        if (name)
            name[strlen(name) - strlen(end)] = '\0';
        status = append(records, name, parameters[i].value);
    }
    if (status)
        lstm_records_destroy(records);
    return status;
}

static bool is_moment_name(const char *name)
{
    return strncmp(name, LSTM_ADAM_NAME, strlen(LSTM_ADAM_NAME)) == 0;
}

/* Checks that a tensor of the file can be loaded. */
static lstm_status check_tensor(const lstm_records *records, const lstm_file *file,
                                const lstm_stored *stored, const lstm_tensor *value)
{
    char found[LSTM_SHAPE_TEXT], expected[LSTM_SHAPE_TEXT];
    if (!lstm_tensor_has_shape(value, stored->rank, stored->shape))
        return lstm_fail(LSTM_SHAPE_MISMATCH, "%s: %s: tensor %s is %s, expected %s",
                         records->object, file->path, stored->name,
                         lstm_stored_shape(found, stored),
                         lstm_shape_text(expected, value->rank, value->shape));
    if (is_moment_name(stored->name) && lstm_stored_scale(file, stored))
        return lstm_fail(LSTM_BAD_FILE,
                         "%s: %s: tensor %s is I8, expected F32, F64, F16 or BF16",
                         records->object, file->path, stored->name);
    return lstm_stored_check(file, records->object, stored);
}

static int compare_addresses(const void *first, const void *second)
{
    const lstm_stored *const *a = first, *const *b = second;
    return (*a > *b) - (*a < *b);
}

/* Fails if a file has a tensor that is not in found. Sorts found by address, which is
 * the order of the tensors in the file. */
static lstm_status check_surplus(const lstm_file *file, const lstm_stored **found,
                                 size_t count)
{
    size_t next = 0;
    qsort(found, count, sizeof(*found), compare_addresses);
    for (size_t i = 0; i < file->count; i++) {
        const lstm_stored *stored = &file->tensors[i];
        while (next < count && found[next] < stored)
            next++;
        bool wanted = next < count && found[next] == stored;
        if (!wanted && !is_moment_name(stored->name))
            return lstm_fail(LSTM_BAD_FILE,
                             "params: %s: unexpected tensor %s: allow_surplus is not "
                             "set",
                             file->path, stored->name);
    }
    return LSTM_OK;
}

/* Checks all tensors, and finds them and then their scales. */
static lstm_status check_all(const lstm_records *records, const lstm_file *file,
                             const lstm_stored **found, size_t *count)
{
    *count = records->count;
    for (size_t i = 0; i < records->count; i++) {
        const lstm_record *record = &records->items[i];
        found[i] = lstm_file_find(file, record->name);
        if (!found[i])
            return lstm_fail_missing(file, records->object, "", record->name);
        lstm_status status = check_tensor(records, file, found[i], record->tensor);
        if (status)
            return status;
        const lstm_stored *scale = lstm_stored_scale(file, found[i]);
        if (scale)
            found[(*count)++] = scale;
    }
    return LSTM_OK;
}

lstm_status lstm_records_check(const lstm_records *records, const lstm_file *file,
                               bool surplus)
{
    size_t count;
    const lstm_stored **found = common_alloc(records->count, 2 * sizeof(*found));
    if (!found)
        return lstm_fail_memory(records->object);
    lstm_status status = check_all(records, file, found, &count);
    if (!status && !surplus)
        status = check_surplus(file, found, count);
    common_free(found);
    return status;
}

size_t lstm_records_bytes(const lstm_records *records, const lstm_file *file)
{
    size_t bytes = 0;
    for (size_t i = 0; i < records->count; i++) {
        const lstm_stored *stored = lstm_file_find(file, records->items[i].name);
        if (!common_add(bytes, lstm_stored_bytes(file, stored), &bytes))
            return SIZE_MAX;
    }
    return bytes;
}

lstm_status lstm_records_read(const lstm_records *records, const lstm_file *file,
                              unsigned char *data)
{
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < records->count; i++) {
        const lstm_stored *stored = lstm_file_find(file, records->items[i].name);
        status = lstm_stored_read(file, stored, data);
        data += lstm_stored_bytes(file, stored);
    }
    return status;
}

/* Whether values of a moment can be those of Adam. */
static bool is_moment(const float *values, size_t count, bool square, float *bad)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]) || (square && values[i] < 0)) {
            *bad = values[i];
            return false;
        }
    return true;
}

/* Checks the bytes of a tensor that a file has for a moment. */
static lstm_status check_moment(const lstm_file *file, const lstm_stored *stored,
                                const unsigned char *data)
{
    enum { CHUNK = 256 };
    static const char first[] = LSTM_ADAM_NAME "exp_avg.";
    bool square = strncmp(stored->name, first, strlen(first)) != 0;
    float values[CHUNK], bad;
    for (size_t i = 0; i < stored->count; i += CHUNK) {
        size_t count = common_smaller(stored->count - i, CHUNK);
        stored->format->convert(count, data + i * (stored->format->bits / 8), values);
        if (!is_moment(values, count, square, &bad))
            return lstm_fail(LSTM_BAD_FILE,
                             "params: %s: tensor %s has the value %g, expected finite "
                             "numbers%s",
                             file->path, stored->name, (double)bad,
                             square ? " of at least 0" : "");
    }
    return LSTM_OK;
}

lstm_status lstm_records_check_moments(const lstm_records *records,
                                       const lstm_file *file, const unsigned char *data)
{
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < records->count; i++) {
        const char *name = records->items[i].name;
        const lstm_stored *stored = lstm_file_find(file, name);
        if (is_moment_name(name))
            status = check_moment(file, stored, data);
        data += lstm_stored_bytes(file, stored);
    }
    return status;
}

size_t lstm_records_fill(const lstm_records *records, const lstm_file *file,
                         const unsigned char *data)
{
    size_t converted = 0;
    for (size_t i = 0; i < records->count; i++) {
        const lstm_stored *stored = lstm_file_find(file, records->items[i].name);
        lstm_stored_convert(file, stored, data, records->items[i].tensor->data);
        converted += strcmp(stored->dtype, "F32") != 0;
        data += lstm_stored_bytes(file, stored);
    }
    return converted;
}

static lstm_status load(const lstm_records *records, const lstm_file *file)
{
    lstm_status status = lstm_records_check(records, file, true);
    if (status)
        return status;
    unsigned char *data = common_alloc_bytes(lstm_records_bytes(records, file));
    if (!data)
        return lstm_fail_memory(records->object);
    status = lstm_records_read(records, file, data);
    if (!status)
        lstm_records_fill(records, file, data);
    common_free(data);
    return status;
}

lstm_status lstm_records_load(const char *object, const lstm_file *file,
                              const char *prefix, const char *end,
                              lstm_parameter *parameters, size_t count)
{
    lstm_records records;
    lstm_status status =
        lstm_records_create_named(&records, object, prefix, end, parameters, count);
    if (status)
        return status;
    status = load(&records, file);
    lstm_records_destroy(&records);
    for (size_t i = 0; !status && i < count; i++)
        (*parameters[i].version)++;
    return status;
}
