/*
 * Linear layers out of safetensors files: their sizes are the shape of the weight.
 */
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"

#include <lstm/file.h>
#include <lstm/linear.h>

/* The shape of the weight of a prefix in a file. What a layer of it needs is in
 * proportion to the file, whose header has been checked. */
static lstm_status read_shape(const char *path, const char *prefix, size_t *shape)
{
    lstm_safetensors file;
    lstm_status status = lstm_safetensors_open(&file, path);
    if (status)
        return status;
    const lstm_stored *weight = lstm_safetensors_find_in(&file, prefix, "weight");
    if (!weight)
        status = lstm_fail(LSTM_BAD_FILE, "linear: %s: tensor %s%sweight is missing",
                           path, prefix, *prefix ? "." : "");
    else if (weight->rank != 2 || weight->count == 0)
        status = lstm_fail(LSTM_BAD_FILE,
                           "linear: %s: tensor %s is no matrix of outputs by inputs",
                           path, weight->name);
    else
        memcpy(shape, weight->shape, 2 * sizeof(*shape));
    lstm_safetensors_close(&file);
    return status;
}

static lstm_status load_values(lstm_linear *linear, const char *path,
                               const char *prefix)
{
    lstm_params *params;
    lstm_status status = lstm_params_create(&params);
    if (!status)
        status = lstm_params_add_linear(params, prefix, linear);
    if (!status)
        status = lstm_params_load_as(params, path,
                                     &(lstm_file_options){.allow_surplus = true});
    lstm_params_destroy(&params);
    return status;
}

lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix)
{
    size_t shape[2] = {0};
    if (!out)
        return lstm_fail_null("linear", "out");
    *out = NULL;
    if (!path)
        return lstm_fail_null("linear", "path");
    if (!prefix)
        return lstm_fail_null("linear", "prefix");
    lstm_linear *linear = NULL;
    lstm_status status = read_shape(path, prefix, shape);
    if (!status)
        status = lstm_linear_create(
            &linear, &(lstm_linear_config){.inputs = shape[1], .outputs = shape[0]},
            NULL);
    if (!status)
        status = load_values(linear, path, prefix);
    if (status)
        lstm_linear_destroy(&linear);
    *out = linear;
    return status;
}
