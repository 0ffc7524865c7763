/*
 * Loads linear layers from safetensors files: the shape of the weight gives the sizes.
 */
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/records.h"

/* Finds the weight of a prefix. The header has been checked, so the file is at least as
 * large as the layer that it describes. */
static lstm_status find_weight(const lstm_file *file, const char *prefix,
                               const lstm_stored **out)
{
    const lstm_stored *weight = lstm_file_find_in(file, prefix, "weight");
    if (!weight)
        return lstm_fail_missing(file, "linear", prefix, "weight");
    if (weight->rank != 2 || weight->shape[0] == 0 || weight->shape[1] == 0)
        return lstm_fail(LSTM_BAD_FILE,
                         "linear: %s: tensor %s is not a matrix of outputs by inputs",
                         file->path, weight->name);
    *out = weight;
    return lstm_stored_check(file, "linear", weight);
}

static lstm_status read_linear(lstm_linear **out, const lstm_file *file,
                               const char *prefix)
{
    const lstm_stored *weight = NULL;
    lstm_status status = find_weight(file, prefix, &weight);
    if (status)
        return status;
    lstm_linear_config config = {.inputs = weight->shape[1],
                                 .outputs = weight->shape[0],
                                 .no_bias = !lstm_file_find_in(file, prefix, "bias") &&
                                            !lstm_file_explains(file, prefix, "bias")};
    status = lstm_linear_create(out, &config, NULL);
    if (status)
        return status;
    size_t count;
    lstm_parameter *parameters = lstm_linear_parameters(*out, &count);
    status = lstm_records_load("linear", file, prefix, "", parameters, count);
    if (status)
        lstm_linear_destroy(out);
    return status;
}

lstm_status lstm_linear_read(lstm_linear **out, lstm_file *file, const char *prefix)
{
    if (!out)
        return lstm_fail_null("linear", "out");
    *out = NULL;
    if (!file)
        return lstm_fail_null("linear", "file");
    return prefix ? read_linear(out, file, prefix) : lstm_fail_null("linear", "prefix");
}

lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix)
{
    lstm_file *file;
    if (!out)
        return lstm_fail_null("linear", "out");
    *out = NULL;
    if (!path)
        return lstm_fail_null("linear", "path");
    if (!prefix)
        return lstm_fail_null("linear", "prefix");
    lstm_status status = lstm_file_open(&file, path);
    if (status)
        return status;
    status = read_linear(out, file, prefix);
    lstm_file_destroy(&file);
    return status;
}
