/*
 * Layers out of safetensors files: options from the metadata or, when a file has none
 * of them, from the names and shapes of the tensors; then the values.
 */
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"
#include "lib/lstm/io/metadata.h"

#include <lstm/file.h>
#include <lstm/layer.h>

/* Reads options out of the text that a file has of them; its status is as that of
 * lstm_json_unpack(). */
static lstm_status read_config(const char *text, lstm_layer_config *config)
{
    json_int_t sizes[4];
    int bias, batch_first, bidirectional;
    lstm_status status = lstm_json_unpack(
        text, 8, "{s:I, s:I, s:I, s:I, s:F, s:b, s:b, s:b}", "inputs", &sizes[0],
        "hidden", &sizes[1], "layers", &sizes[2], "proj_size", &sizes[3], "dropout",
        &config->dropout, "bias", &bias, "batch_first", &batch_first, "bidirectional",
        &bidirectional);
    for (size_t i = 0; !status && i < 4; i++)
        if (sizes[i] < 0 || (uintmax_t)sizes[i] > SIZE_MAX)
            status = LSTM_BAD_FILE;
    if (status)
        return status;
    config->inputs = (size_t)sizes[0];
    config->hidden = (size_t)sizes[1];
    config->layers = (size_t)sizes[2];
    config->proj_size = (size_t)sizes[3];
    config->no_bias = !bias;
    config->batch_first = batch_first;
    config->bidirectional = bidirectional;
    return LSTM_OK;
}

/* A matrix of a layer of the stack in the file; NULL when there is none. */
static const lstm_stored *find_weight(const lstm_safetensors *file, const char *prefix,
                                      const char *name, size_t layer)
{
    char numbered[64];
    snprintf(numbered, sizeof(numbered), "%s%zu", name, layer);
    const lstm_stored *stored = lstm_safetensors_find_in(file, prefix, numbered);
    return stored && stored->rank == 2 ? stored : NULL;
}

static bool has_weight(const lstm_safetensors *file, const char *prefix,
                       const char *name, size_t layer, size_t hidden, size_t columns)
{
    const lstm_stored *stored = find_weight(file, prefix, name, layer);
    return stored && stored->shape[0] % 4 == 0 && stored->shape[0] / 4 == hidden &&
           stored->shape[1] == columns;
}

/* Checks options against the tensors before memory is taken for them: what a layer
 * needs is then in proportion to the file. */
static bool fits_file(const lstm_safetensors *file, const char *prefix,
                      const lstm_layer_config *c)
{
    size_t state = c->proj_size > 0 ? c->proj_size : c->hidden;
    if (c->layers > file->count ||
        !has_weight(file, prefix, "weight_ih_l", 0, c->hidden, c->inputs))
        return false;
    for (size_t i = 0; i < c->layers; i++)
        if (!has_weight(file, prefix, "weight_hh_l", i, c->hidden, state))
            return false;
    return true;
}

/* Options that names and shapes tell, as in a file that PyTorch wrote; false when there
 * is no layer of that prefix. */
static bool infer_config(const lstm_safetensors *file, const char *prefix,
                         lstm_layer_config *config)
{
    const lstm_stored *input = find_weight(file, prefix, "weight_ih_l", 0);
    const lstm_stored *recurrent = find_weight(file, prefix, "weight_hh_l", 0);
    if (!input || !recurrent)
        return false;
    config->inputs = input->shape[1];
    config->hidden = input->shape[0] / 4;
    if (lstm_safetensors_find_in(file, prefix, "weight_hr_l0"))
        config->proj_size = recurrent->shape[1];
    config->bidirectional =
        lstm_safetensors_find_in(file, prefix, "weight_ih_l0_reverse");
    config->no_bias = !lstm_safetensors_find_in(file, prefix, "bias_ih_l0");
    while (find_weight(file, prefix, "weight_hh_l", config->layers))
        config->layers++;
    return true;
}

/* The options of the layer of a prefix in an open file; key is that of its metadata. */
static lstm_status find_config(const lstm_safetensors *file, const char *prefix,
                               const char *key, lstm_layer_config *config)
{
    const char *text = lstm_metadata_find(file, key);
    lstm_status status = text ? read_config(text, config) : LSTM_OK;
    if (status == LSTM_BAD_FILE)
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: metadata %s is damaged", file->path,
                         key);
    if (!status && !text && !infer_config(file, prefix, config))
        return lstm_fail(
            LSTM_BAD_FILE,
            "layer: %s: there is no %s%sweight_ih_l0 and weight_hh_l0, and "
            "no metadata %s",
            file->path, prefix, *prefix ? "." : "", key);
    if (!status && !fits_file(file, prefix, config))
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: tensors of %s are not as its %s",
                         file->path, *prefix ? prefix : "the layer",
                         text ? "metadata says" : "weight_ih_l0 says");
    return status;
}

static lstm_status read_options(const char *path, const char *prefix,
                                lstm_layer_config *config)
{
    lstm_safetensors file;
    size_t size = sizeof(LSTM_LAYER_KEY) + strlen(prefix);
    char *key = common_alloc(size, 1);
    if (!key)
        return lstm_fail_memory("layer");
    snprintf(key, size, "%s%s", LSTM_LAYER_KEY, prefix);
    lstm_status status = lstm_safetensors_open(&file, path);
    if (!status) {
        status = find_config(&file, prefix, key, config);
        lstm_safetensors_close(&file);
    }
    common_free(key);
    return status;
}

/* Creates a layer whose weights are not drawn: the generator stays as it is. */
static lstm_status create(lstm_layer **out, const lstm_layer_config *config,
                          lstm_rng *rng)
{
    uint8_t state[LSTM_RNG_STATE_SIZE];
    if (!rng)
        return lstm_layer_create(out, config, NULL);
    lstm_rng_get_state(rng, state);
    lstm_status status = lstm_layer_create(out, config, rng);
    lstm_status restored = lstm_rng_set_state(rng, state);
    return status ? status : restored;
}

static lstm_status load_values(lstm_layer *layer, const char *path, const char *prefix)
{
    lstm_params *params;
    lstm_status status = lstm_params_create(&params);
    if (!status)
        status = lstm_params_add_layer(params, prefix, layer);
    if (!status)
        status = lstm_params_load_as(params, path,
                                     &(lstm_file_options){.allow_surplus = true});
    lstm_params_destroy(&params);
    return status;
}

lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("layer", "out");
    *out = NULL;
    if (!path)
        return lstm_fail_null("layer", "path");
    if (!prefix)
        return lstm_fail_null("layer", "prefix");
    lstm_layer_config config = {0};
    lstm_status status = read_options(path, prefix, &config);
    if (status)
        return status;
    if (!rng)
        config.dropout = 0;
    lstm_layer *layer;
    status = create(&layer, &config, rng);
    if (status == LSTM_INVALID_ARGUMENT)
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: options of %s are none of a layer",
                         path, *prefix ? prefix : "the layer");
    if (!status)
        status = load_values(layer, path, prefix);
    if (status)
        lstm_layer_destroy(&layer);
    *out = layer;
    return status;
}
