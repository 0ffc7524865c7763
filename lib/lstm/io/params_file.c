/*
 * Parameter sets in safetensors files.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/metadata.h"

static const lstm_file_options defaults;

static lstm_status check_options(const lstm_params *params,
                                 const lstm_file_options *options)
{
    if (!params)
        return lstm_fail_null("params", "params");
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
                         "params: adam belongs to another set, or the set has grown");
    return LSTM_OK;
}

/* Rejects parameters with names that are reserved for moments. */
static lstm_status check_names(const lstm_records *records, size_t parameters)
{
    for (size_t i = 0; i < parameters; i++) {
        const char *name = records->items[i].name;
        if (strncmp(name, LSTM_ADAM_NAME, strlen(LSTM_ADAM_NAME)) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "params: name %s is reserved for the moments of Adam",
                             name);
    }
    return LSTM_OK;
}

lstm_status lstm_params_save(const lstm_params *params, const char *path,
                             const lstm_file_options *options)
{
    const lstm_file_options *o = options ? options : &defaults;
    lstm_records records;
    lstm_metadata metadata = {0};
    lstm_status status = check_options(params, o);
    if (!status && !path)
        status = lstm_fail_null("params", "path");
    if (!status)
        status = lstm_records_create(&records, params, o);
    if (status)
        return status;
    status = check_names(&records, lstm_params_size(params));
    if (!status)
        status = lstm_records_quantise(&records, params);
    if (!status)
        status = lstm_metadata_fill(&metadata, params, o, &records);
    if (!status)
        status = lstm_safetensors_write(path, records.items, records.count, &metadata);
    lstm_metadata_destroy(&metadata);
    lstm_records_destroy(&records);
    return status;
}

/* Sets an optimiser to the state of a file, which has been checked. */
static lstm_status set_progress(const lstm_params *params, lstm_adam *adam,
                                const lstm_progress *progress)
{
    lstm_adam_set_steps(adam, progress->steps);
    lstm_status status = lstm_adam_set_lr(adam, progress->lr);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_adam_rates *rates = &progress->slots[i].rates;
        lstm_adam_set_parameter_steps(adam, i, progress->slots[i].steps);
        if (rates->is_set)
            status =
                lstm_adam_set_parameter(adam, i, rates->lr_factor, rates->weight_decay);
    }
    return status;
}

/* Changes values only after all steps that can fail. */
static lstm_status read_all(const lstm_params *params, const lstm_file *file,
                            const lstm_records *records,
                            const lstm_file_options *options, unsigned char *data,
                            lstm_progress *progress)
{
    lstm_status status =
        lstm_progress_read(file, options, records, lstm_params_size(params), progress);
    if (!status)
        status = lstm_records_read(records, file, data);
    if (!status)
        status = lstm_records_check_moments(records, file, data);
    if (!status && options->rng &&
        lstm_rng_set_state(options->rng, progress->rng) != LSTM_OK)
        status = lstm_fail(LSTM_BAD_FILE,
                           "params: %s: metadata " LSTM_RNG_KEY
                           " is not the state of a generator",
                           file->path);
    if (status)
        return status;
    size_t converted = lstm_records_fill(records, file, data);
    if (options->converted)
        *options->converted = converted;
    for (size_t i = 0; i < lstm_params_size(params); i++)
        (*lstm_params_parameter(params, i)->version)++;
    return options->adam ? set_progress(params, options->adam, progress) : LSTM_OK;
}

static lstm_status load(const lstm_params *params, const lstm_file *file,
                        const lstm_file_options *options)
{
    lstm_records records;
    lstm_progress progress = {0};
    lstm_status status = lstm_records_create(&records, params, options);
    if (status)
        return status;
    status = lstm_records_check(&records, file, options->allow_surplus);
    if (!status) {
        unsigned char *data = common_alloc_bytes(lstm_records_bytes(&records, file));
        status = data ? read_all(params, file, &records, options, data, &progress)
                      : lstm_fail_memory("params");
        common_free(progress.slots);
        common_free(data);
    }
    lstm_records_destroy(&records);
    return status;
}

lstm_status lstm_params_read(lstm_params *params, lstm_file *file,
                             const lstm_file_options *options)
{
    const lstm_file_options *o = options ? options : &defaults;
    lstm_status status = check_options(params, o);
    if (status)
        return status;
    return file ? load(params, file, o) : lstm_fail_null("params", "file");
}

lstm_status lstm_params_load(lstm_params *params, const char *path,
                             const lstm_file_options *options)
{
    const lstm_file_options *o = options ? options : &defaults;
    lstm_file *file;
    lstm_status status = check_options(params, o);
    if (!status && !path)
        status = lstm_fail_null("params", "path");
    if (!status)
        status = lstm_file_open(&file, path);
    if (status)
        return status;
    status = load(params, file, o);
    lstm_file_destroy(&file);
    return status;
}
