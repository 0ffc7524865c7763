/*
 * Loads layers from safetensors files. The options come from the metadata or, without
 * metadata, from the names and shapes of the tensors.
 */
#include <stdio.h>
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/io/layers.h"
#include "lib/lstm/io/metadata.h"

/* Reads the precision, which files of earlier versions do not have. */
static bool read_precision(const lstm_object *object, lstm_layer_config *config)
{
    const char *precision = "float32";
    if (!lstm_object_string(object, "precision", &precision) &&
        lstm_object_has(object, "precision"))
        return false;
    for (int i = 0; i < LSTM_PRECISIONS; i++)
        if (strcmp(precision, lstm_precision_names[i]) == 0) {
            config->precision = (lstm_precision)i;
            return true;
        }
    return false;
}

static bool read_members(const lstm_object *object, lstm_layer_config *config)
{
    bool bias = true;
    bool good = lstm_object_size(object, "inputs", &config->inputs) &&
                lstm_object_size(object, "hidden", &config->hidden) &&
                lstm_object_size(object, "layers", &config->layers) &&
                lstm_object_size(object, "proj_size", &config->proj_size) &&
                lstm_object_double(object, "dropout", &config->dropout) &&
                lstm_object_bool(object, "bias", &bias) &&
                lstm_object_bool(object, "batch_first", &config->batch_first) &&
                lstm_object_bool(object, "bidirectional", &config->bidirectional) &&
                read_precision(object, config);
    config->no_bias = !bias;
    return good;
}

/* Reads options from their text in the metadata; returns LSTM_BAD_FILE without a
 * message when the text is damaged. */
static lstm_status parse_config(const lstm_file *file, const char *prefix,
                                const char *text, lstm_layer_config *config,
                                bool *damaged)
{
    lstm_object object;
    lstm_status status = lstm_object_read(&object, text);
    *damaged = status == LSTM_BAD_FILE;
    if (status)
        return status;
    status = lstm_object_version(&object, file, LSTM_LAYER_KEY, prefix);
    *damaged = !status && !read_members(&object, config);
    lstm_object_destroy(&object);
    return *damaged ? LSTM_BAD_FILE : status;
}

static lstm_status read_config(const lstm_file *file, const char *prefix,
                               const char *text, lstm_layer_config *config)
{
    bool damaged;
    lstm_status status = parse_config(file, prefix, text, config, &damaged);
    if (!damaged)
        return status;
    return lstm_fail(LSTM_BAD_FILE,
                     "layer: %s: metadata " LSTM_LAYER_KEY "%s is damaged", file->path,
                     prefix);
}

static bool has_weight(const lstm_file *file, const char *prefix, const char *name,
                       size_t layer, size_t hidden, size_t columns)
{
    const lstm_stored *stored = lstm_file_weight(file, prefix, name, layer);
    return stored && stored->shape[0] % 4 == 0 && stored->shape[0] / 4 == hidden &&
           stored->shape[1] == columns;
}

/* Checks that the options match the tensors. This is done before the layer is
 * allocated, so that a small file cannot cause a large allocation. */
static bool fits_file(const lstm_file *file, const char *prefix,
                      const lstm_layer_config *c)
{
    size_t state = c->proj_size > 0 ? c->proj_size : c->hidden;
    if (c->layers == 0 || c->layers > file->count ||
        !has_weight(file, prefix, "weight_ih", 0, c->hidden, c->inputs))
        return false;
    for (size_t i = 0; i < c->layers; i++)
        if (!has_weight(file, prefix, "weight_hh", i, c->hidden, state))
            return false;
    return true;
}

/* Whether a layer can have these options. */
static bool is_valid(const lstm_layer_config *c)
{
    return c->inputs > 0 && c->hidden > 0 && c->proj_size < c->hidden &&
           c->dropout >= 0 && c->dropout <= 1;
}

/* Whether a file has the parameter NAME + suffix, or has it in another form. If a file
 * has any parameter of a layer, loading requires all of them. */
static bool has_parameter(const lstm_file *file, const char *prefix, const char *name,
                          const char *suffix)
{
    char full[64];
    snprintf(full, sizeof(full), "%s%s", name, suffix);
    return lstm_file_find_in(file, prefix, full) ||
           lstm_file_explains(file, prefix, full);
}

static bool has_bias(const lstm_file *file, const char *prefix, const char *suffix)
{
    return has_parameter(file, prefix, "bias_ih", suffix) ||
           has_parameter(file, prefix, "bias_hh", suffix);
}

static bool has_any(const lstm_file *file, const char *prefix, const char *suffix)
{
    return has_parameter(file, prefix, "weight_ih", suffix) ||
           has_parameter(file, prefix, "weight_hh", suffix) ||
           has_bias(file, prefix, suffix);
}

static bool has_layer(const lstm_file *file, const char *prefix, size_t layer)
{
    char suffix[32];
    snprintf(suffix, sizeof(suffix), "_l%zu", layer);
    return has_any(file, prefix, suffix);
}

/* Options from names and shapes, as in a file of PyTorch. */
static void infer_config(const lstm_file *file, const char *prefix,
                         lstm_layer_config *config)
{
    const lstm_stored *input = lstm_file_weight(file, prefix, "weight_ih", 0);
    const lstm_stored *recurrent = lstm_file_weight(file, prefix, "weight_hh", 0);
    config->inputs = input->shape[1];
    config->hidden = input->shape[0] / 4;
    if (lstm_file_find_in(file, prefix, "weight_hr_l0"))
        config->proj_size = recurrent->shape[1];
    config->bidirectional = has_any(file, prefix, "_l0_reverse");
    config->no_bias = !has_bias(file, prefix, "_l0");
    while (has_layer(file, prefix, config->layers))
        config->layers++;
}

static void infer_cell(const lstm_file *file, const char *prefix,
                       lstm_layer_config *config)
{
    const lstm_stored *input = lstm_file_find_in(file, prefix, "weight_ih");
    config->inputs = input->shape[1];
    config->hidden = input->shape[0] / 4;
    config->layers = 1;
    config->no_bias = !has_bias(file, prefix, "");
}

/* Fails if a recurrent weight is missing; the message names the first one. */
static lstm_status check_weights(const lstm_file *file, const char *prefix,
                                 const lstm_layer_config *config)
{
    for (size_t i = 0; i < config->layers; i++) {
        char name[64];
        snprintf(name, sizeof(name), "weight_hh_l%zu", i);
        if (!lstm_file_find_in(file, prefix, name))
            return lstm_fail_missing(file, "layer", prefix, name);
    }
    return LSTM_OK;
}

/* Checks that the options match the tensors; from names the source of the options. */
static lstm_status check_config(const lstm_file *file, const char *prefix,
                                const char *from, const lstm_layer_config *config)
{
    if (!is_valid(config))
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: invalid layer options of '%s'",
                         file->path, prefix);
    if (!fits_file(file, prefix, config))
        return lstm_fail(LSTM_BAD_FILE,
                         "layer: %s: tensors of '%s' do not match the %s", file->path,
                         prefix, from);
    return LSTM_OK;
}

static lstm_status find_inferred(const lstm_file *file, const char *prefix,
                                 lstm_layer_config *config)
{
    infer_config(file, prefix, config);
    lstm_status status = check_weights(file, prefix, config);
    return status ? status : check_config(file, prefix, "weight_ih_l0", config);
}

/* The options of the layer of a prefix. */
static lstm_status find_config(const lstm_file *file, const char *prefix,
                               lstm_layer_config *config)
{
    const char *text = lstm_file_text(file, LSTM_LAYER_KEY, prefix);
    if (text) {
        lstm_status status = read_config(file, prefix, text, config);
        return status ? status : check_config(file, prefix, "metadata", config);
    }
    switch (lstm_file_kind(file, prefix)) {
    case LSTM_KIND_LSTM:
        return find_inferred(file, prefix, config);
    case LSTM_KIND_CELL:
        infer_cell(file, prefix, config);
        return LSTM_OK;
    default:
        return lstm_fail_no_layer(file, prefix);
    }
}

lstm_status lstm_file_layer_config(lstm_file *file, const char *prefix,
                                   lstm_layer_config *config)
{
    lstm_layer_config found = {0};
    if (!file)
        return lstm_fail_null("file", "file");
    if (!config)
        return lstm_fail_null("file", "config");
    lstm_status status = lstm_file_choose(file, &prefix);
    if (!status)
        status = find_config(file, prefix, &found);
    if (!status)
        status = lstm_file_check_surplus(file, prefix, &found);
    if (!status)
        *config = found;
    return status;
}

/* Creates a layer and leaves the generator unchanged. */
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

/* Checks the data types of the tensors that determine the size of a layer, before
 * memory is allocated: the file may be smaller than the shape of a tensor of unknown
 * type. */
static lstm_status check_types(const lstm_file *file, const char *prefix, size_t layers)
{
    bool cell = lstm_file_kind(file, prefix) == LSTM_KIND_CELL;
    const lstm_stored *weight =
        lstm_file_find_in(file, prefix, cell ? "weight_ih" : "weight_ih_l0");
    lstm_status status = lstm_stored_check(file, "layer", weight);
    for (size_t i = 0; !status && i < layers; i++) {
        weight = cell ? lstm_file_find_in(file, prefix, "weight_hh")
                      : lstm_file_weight(file, prefix, "weight_hh", i);
        status = lstm_stored_check(file, "layer", weight);
    }
    return status;
}

static lstm_status load_values(lstm_layer *layer, const lstm_file *file,
                               const char *prefix)
{
    size_t count;
    lstm_parameter *parameters = lstm_layer_parameters(layer, &count);
    bool cell = lstm_file_kind(file, prefix) == LSTM_KIND_CELL;
    return lstm_records_load("layer", file, prefix, cell ? "_l0" : "", parameters,
                             count);
}

static lstm_status read_layer(lstm_layer **out, lstm_file *file, const char *prefix,
                              lstm_rng *rng)
{
    lstm_layer_config config;
    lstm_status status = lstm_file_choose(file, &prefix);
    if (!status)
        status = lstm_file_layer_config(file, prefix, &config);
    if (!status)
        status = check_types(file, prefix, config.layers);
    if (status)
        return status;
    if (!rng)
        config.dropout = 0;
    lstm_layer *layer;
    status = create(&layer, &config, rng);
    if (status == LSTM_INVALID_ARGUMENT)
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: invalid layer options of '%s'",
                         file->path, prefix);
    if (!status)
        status = load_values(layer, file, prefix);
    if (status)
        lstm_layer_destroy(&layer);
    *out = layer;
    return status;
}

lstm_status lstm_layer_read(lstm_layer **out, lstm_file *file, const char *prefix,
                            lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("layer", "out");
    *out = NULL;
    return file ? read_layer(out, file, prefix, rng) : lstm_fail_null("layer", "file");
}

lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng)
{
    lstm_file *file;
    if (!out)
        return lstm_fail_null("layer", "out");
    *out = NULL;
    if (!path)
        return lstm_fail_null("layer", "path");
    lstm_status status = lstm_file_open(&file, path);
    if (status)
        return status;
    status = read_layer(out, file, prefix, rng);
    lstm_file_destroy(&file);
    return status;
}
