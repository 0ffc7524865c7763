/*
 * Creation of a layer, its options and modes. layer.h describes the other files.
 */
#include "lib/lstm/nn/layer.h"

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/tensor/tensor.h"

/* Products of larger sizes overflow, and no machine has memory for them. */
static const size_t max_size = (size_t)1 << 24;

static lstm_status check_size(const char *name, size_t value, size_t least, size_t most)
{
    if (value >= least && value <= most)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: %s is %zu, expected %zu to %zu",
                     name, value, least, most);
}

static lstm_status check_config(const lstm_layer_config *config, const lstm_rng *rng)
{
    enum { MAX_LAYERS = 1000 };
    lstm_status status = lstm_check_reserved("layer", config->reserved);
    if (!status)
        status = check_size("inputs", config->inputs, 1, max_size);
    if (!status)
        status = check_size("hidden", config->hidden, 1, max_size);
    if (!status)
        status = check_size("layers", config->layers, 0, MAX_LAYERS);
    if (!status && config->proj_size)
        status = check_size("proj_size", config->proj_size, 0, config->hidden - 1);
    if (status)
        return status;
    /* In this form the condition also rejects NaN. */
    if (!(config->dropout >= 0 && config->dropout <= 1))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: dropout is %g, expected 0 to 1",
                         config->dropout);
    if (config->dropout > 0 && !rng)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: rng is NULL, but the layer has dropout %g",
                         config->dropout);
    if (config->precision != LSTM_FLOAT32 && config->precision != LSTM_BFLOAT16 &&
        config->precision != LSTM_INT8)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: unknown precision %d",
                         (int)config->precision);
    return LSTM_OK;
}

static lstm_status fill_layer(lstm_layer *layer, const lstm_layer_config *config,
                              lstm_rng *rng)
{
    lstm_weights *weights = &layer->weights;
    layer->training = config->precision != LSTM_INT8;
    lstm_status status = lstm_weights_create(weights, config);
    if (status)
        return status;
    layer->scratch.at =
        common_alloc(lstm_weights_count(weights), sizeof(*layer->scratch.at));
    if (!layer->scratch.at)
        return lstm_fail_memory("layer");
    status =
        lstm_tape_make(&layer->tape, weights, config->dropout > 0 ? rng : NULL, true);
    return status ? status : lstm_weights_draw(weights, rng);
}

lstm_status lstm_layer_create(lstm_layer **out, const lstm_layer_config *config,
                              lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("layer", "out");
    *out = NULL;
    if (!config)
        return lstm_fail_null("layer", "config");
    lstm_status status = check_config(config, rng);
    if (status)
        return status;
    lstm_layer *layer = common_alloc_bytes(sizeof(*layer));
    if (!layer)
        return lstm_fail_memory("layer");
    status = fill_layer(layer, config, rng);
    if (status)
        lstm_layer_destroy(&layer);
    *out = layer;
    return status;
}

void lstm_layer_destroy(lstm_layer **handle)
{
    if (!handle || !*handle)
        return;
    lstm_layer *layer = *handle;
    lstm_weights_destroy(&layer->weights);
    lstm_tape_destroy(&layer->tape);
    lstm_workspace_free(&layer->workspace);
    common_free(layer->scratch.at);
    common_free(layer);
    *handle = NULL;
}

const lstm_layer_config *lstm_layer_get_config(const lstm_layer *layer)
{
    return layer ? &layer->weights.config : NULL;
}

lstm_parameter *lstm_layer_parameters(lstm_layer *layer, size_t *count)
{
    *count = layer->weights.parameter_count;
    return layer->weights.parameters;
}

size_t lstm_layer_output_size(const lstm_layer *layer)
{
    return layer ? layer->weights.directions * layer->weights.state : 0;
}

lstm_status lstm_layer_pack(lstm_layer *layer)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    return lstm_weights_repack(&layer->weights, layer->training);
}

lstm_status lstm_layer_check_trains(const lstm_layer *layer)
{
    if (layer->weights.config.precision != LSTM_INT8)
        return LSTM_OK;
    return lstm_fail(LSTM_UNSUPPORTED,
                     "layer: the precision is int8, which has no training: train a "
                     "layer of float32 or bfloat16");
}

lstm_status lstm_layer_set_training(lstm_layer *layer, bool training)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    lstm_status status = training ? lstm_layer_check_trains(layer) : LSTM_OK;
    if (status)
        return status;
    if (!training)
        status = lstm_weights_repack(&layer->weights, false);
    else if (layer->preallocated)
        status = lstm_weights_pack_backward(&layer->weights, false);
    if (!status && training && layer->preallocated)
        status = lstm_weights_pack(&layer->weights, true, false);
    if (status)
        return status;
    layer->training = training;
    layer->tape->pending = false;
    return LSTM_OK;
}

const lstm_weights *lstm_layer_weights(const lstm_layer *layer)
{
    return &layer->weights;
}

bool lstm_layer_is_packed(const lstm_layer *layer)
{
    const lstm_weights *weights = &layer->weights;
    return !layer->training && weights->panels && weights->packed == weights->version;
}
