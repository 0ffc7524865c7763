/*
 * Layers out of safetensors files: options from the metadata, then the values.
 */
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/metadata.h"

#include <lstm/layer.h>
#include <lstm/params.h>

/* Reads options out of the text that a file has of them; false when it is damaged. */
static bool read_config(const char *text, lstm_layer_config *config)
{
    json_int_t sizes[4];
    int bias, batch_first, bidirectional;
    json_t *json = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, NULL);
    int failed =
        json_unpack(json, "{s:I, s:I, s:I, s:I, s:F, s:b, s:b, s:b !}", "inputs",
                    &sizes[0], "hidden", &sizes[1], "layers", &sizes[2], "proj_size",
                    &sizes[3], "dropout", &config->dropout, "bias", &bias,
                    "batch_first", &batch_first, "bidirectional", &bidirectional);
    json_decref(json);
    for (size_t i = 0; !failed && i < 4; i++)
        failed = sizes[i] < 0 || (uintmax_t)sizes[i] > SIZE_MAX;
    if (failed)
        return false;
    config->inputs = (size_t)sizes[0];
    config->hidden = (size_t)sizes[1];
    config->layers = (size_t)sizes[2];
    config->proj_size = (size_t)sizes[3];
    config->no_bias = !bias;
    config->batch_first = batch_first;
    config->bidirectional = bidirectional;
    return true;
}

/* Whether a layer's tensor in the file has 4 H rows and that many columns. */
static bool has_weight(const lstm_safetensors *file, const char *prefix,
                       const char *name, size_t layer, size_t hidden, size_t columns)
{
    size_t size = strlen(prefix) + strlen(name) + 32;
    char *full = common_alloc(size, 1);
    if (!full)
        return false;
    snprintf(full, size, "%s%s%s%zu", prefix, *prefix ? "." : "", name, layer);
    const lstm_stored *stored = lstm_safetensors_find(file, full);
    common_free(full);
    return stored && stored->rank == 2 && stored->shape[0] % 4 == 0 &&
           stored->shape[0] / 4 == hidden && stored->shape[1] == columns;
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

/* The options of the layer of a prefix in a file. */
static lstm_status find_config(const char *path, const char *prefix,
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
        const char *text = lstm_metadata_find(&file, key);
        if (!text || !read_config(text, config))
            status = lstm_fail(LSTM_BAD_FILE, "layer: %s: metadata %s is %s", path, key,
                               text ? "damaged" : "missing");
        else if (!fits_file(&file, prefix, config))
            status = lstm_fail(LSTM_BAD_FILE,
                               "layer: %s: tensors of %s are not as its %s says", path,
                               prefix, key);
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
    lstm_status status = find_config(path, prefix, &config);
    if (status)
        return status;
    if (!rng)
        config.dropout = 0;
    lstm_layer *layer = NULL;
    lstm_params *params = NULL;
    status = create(&layer, &config, rng);
    if (!status)
        status = lstm_params_create(&params);
    if (!status)
        status = lstm_params_add_layer(params, prefix, layer);
    if (!status)
        status = lstm_params_load_as(params, path,
                                     &(lstm_file_options){.allow_surplus = true});
    lstm_params_destroy(&params);
    if (status)
        lstm_layer_destroy(&layer);
    *out = layer;
    return status;
}
