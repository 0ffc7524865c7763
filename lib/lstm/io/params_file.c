/*
 * Sets of parameters in safetensors files.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/metadata.h"
#include "lib/lstm/io/records.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/nn/parameter.h"

static lstm_status check_arguments(const lstm_params *params, const char *path,
                                   const lstm_file_options *options)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!path)
        return lstm_fail_null("params", "path");
    lstm_status status = lstm_check_reserved("params", options->reserved);
    if (status)
        return status;
    if (options->rename_count > 0 && !options->rename)
        return lstm_fail_null("params", "rename");
    for (size_t i = 0; i < 2 * options->rename_count; i++)
        if (!options->rename[i])
            return lstm_fail_null("params", "name in rename");
    if (options->metadata_count > 0 && !options->metadata)
        return lstm_fail_null("params", "metadata");
    if (options->adam && !lstm_adam_fits(options->adam, params))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: adam steps another set, or the set has grown");
    return LSTM_OK;
}

lstm_status lstm_params_save_as(const lstm_params *params, const char *path,
                                const lstm_file_options *options)
{
    static const lstm_file_options defaults;
    const lstm_file_options *o = options ? options : &defaults;
    lstm_records records;
    json_t *metadata;
    lstm_status status = check_arguments(params, path, o);
    if (!status)
        status = lstm_records_create(&records, params, o);
    if (status)
        return status;
    status = lstm_metadata_create(&metadata, params, o, &records);
    if (!status) {
        status = lstm_safetensors_write(path, records.items, records.count, metadata);
        json_decref(metadata);
    }
    lstm_records_destroy(&records);
    return status;
}

lstm_status lstm_params_save(const lstm_params *params, const char *path)
{
    return lstm_params_save_as(params, path, NULL);
}

/* Puts an optimiser where a file has it; the numbers have been checked. */
static lstm_status set_progress(const lstm_params *params, lstm_adam *adam,
                                const lstm_progress *progress)
{
    lstm_adam_set_steps(adam, progress->steps);
    lstm_status status = lstm_adam_set_lr(adam, progress->lr);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_adam_rates *rates = &progress->rates[i];
        if (rates->given)
            status =
                lstm_adam_set_parameter(adam, i, rates->lr_factor, rates->weight_decay);
    }
    return status;
}

/* Everything that can fail comes first; then values change. */
static lstm_status read_all(const lstm_params *params, lstm_safetensors *file,
                            const lstm_records *records,
                            const lstm_file_options *options, unsigned char *data,
                            lstm_progress *progress)
{
    lstm_status status = lstm_metadata_read_progress(
        file, options, records, lstm_params_size(params), progress);
    if (!status)
        status = lstm_safetensors_read(file, data);
    if (!status)
        status = lstm_metadata_check_data(file, data);
    if (!status && options->rng)
        status = lstm_rng_set_state(options->rng, progress->rng);
    if (status)
        return status;
    size_t converted = lstm_records_fill(records, file, data);
    if (options->converted)
        *options->converted = converted;
    for (size_t i = 0; i < lstm_params_size(params); i++)
        (*lstm_params_parameter(params, i)->version)++;
    return options->adam ? set_progress(params, options->adam, progress) : LSTM_OK;
}

static lstm_status load(const lstm_params *params, lstm_safetensors *file,
                        const lstm_file_options *options)
{
    lstm_records records;
    lstm_progress progress = {0};
    lstm_status status = lstm_records_create(&records, params, options);
    if (status)
        return status;
    status = lstm_records_check(&records, file, options->allow_surplus);
    if (!status) {
        unsigned char *data = common_alloc(file->size, 1);
        status = data ? read_all(params, file, &records, options, data, &progress)
                      : lstm_fail_memory("params");
        common_free(progress.rates);
        common_free(data);
    }
    lstm_records_destroy(&records);
    return status;
}

lstm_status lstm_params_load_as(lstm_params *params, const char *path,
                                const lstm_file_options *options)
{
    static const lstm_file_options defaults;
    const lstm_file_options *o = options ? options : &defaults;
    lstm_safetensors file;
    lstm_status status = check_arguments(params, path, o);
    if (!status)
        status = lstm_safetensors_open(&file, path);
    if (status)
        return status;
    status = load(params, &file, o);
    lstm_safetensors_close(&file);
    return status;
}

lstm_status lstm_params_load(lstm_params *params, const char *path)
{
    return lstm_params_load_as(params, path, NULL);
}

lstm_status lstm_file_metadata(const char *path, const char *key, char *text,
                               size_t size)
{
    if (!path)
        return lstm_fail_null("params", "path");
    if (!key)
        return lstm_fail_null("params", "key");
    if (!text)
        return lstm_fail_null("params", "text");
    lstm_safetensors file;
    lstm_status status = lstm_safetensors_open(&file, path);
    if (status)
        return status;
    const char *value = lstm_metadata_find(&file, key);
    if (!value)
        status =
            lstm_fail(LSTM_BAD_FILE, "params: %s: metadata %s is missing", path, key);
    else if (strlen(value) >= size)
        status = lstm_fail(LSTM_INVALID_ARGUMENT,
                           "params: size is %zu, expected at least %zu for metadata %s",
                           size, strlen(value) + 1, key);
    else
        memcpy(text, value, strlen(value) + 1);
    lstm_safetensors_close(&file);
    return status;
}
