/*
 * Creation of a layer, its parameters and options. layer.h has the map of the rest.
 */
#include <math.h>
#include <stdio.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* Larger sizes overflow products of them; none of them fits a memory either. */
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
    /* Written so that a NaN is refused. */
    if (!(config->dropout >= 0 && config->dropout <= 1))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: dropout is %g, expected 0 to 1",
                         config->dropout);
    if (config->dropout > 0 && !rng)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: rng is NULL, but dropout %g draws from one",
                         config->dropout);
    if (config->precision != LSTM_FLOAT32 && config->precision != LSTM_BFLOAT16)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: precision %d is not known",
                         (int)config->precision);
    return LSTM_OK;
}

static lstm_status add_parameter(lstm_layer *layer, lstm_parameter **out,
                                 const char *kind, size_t index, size_t rank,
                                 const size_t *shape)
{
    lstm_parameter *parameter = &layer->parameters[layer->parameter_count++];
    bool reverse = index % layer->directions;
    snprintf(parameter->name, sizeof(parameter->name), "%s_l%zu%s", kind,
             index / layer->directions, reverse ? "_reverse" : "");
    parameter->version = &layer->version;
    *out = parameter;
    lstm_status status = lstm_tensor_create(&parameter->value, rank, shape);
    return status ? status : lstm_tensor_create(&parameter->grad, rank, shape);
}

static lstm_status add_direction(lstm_layer *layer, size_t index)
{
    const lstm_layer_config *config = &layer->config;
    lstm_direction *direction = &layer->direction[index];
    bool first = index < layer->directions;
    direction->x_segments = first ? 1 : layer->directions;
    direction->x_channels = first ? config->inputs : layer->state;
    size_t inputs = direction->x_segments * direction->x_channels;
    size_t gates = LSTM_GATES * config->hidden;
    lstm_status status = add_parameter(layer, &direction->weight_ih, "weight_ih", index,
                                       2, (size_t[]){gates, inputs});
    if (!status)
        status = add_parameter(layer, &direction->weight_hh, "weight_hh", index, 2,
                               (size_t[]){gates, layer->state});
    if (!status && !config->no_bias)
        status = add_parameter(layer, &direction->bias_ih, "bias_ih", index, 1, &gates);
    if (!status && !config->no_bias)
        status = add_parameter(layer, &direction->bias_hh, "bias_hh", index, 1, &gates);
    if (!status && config->proj_size)
        status = add_parameter(layer, &direction->weight_hr, "weight_hr", index, 2,
                               (size_t[]){config->proj_size, config->hidden});
    return status;
}

/* All parameters uniform in +-1/sqrt(H), in order, as torch.nn.LSTM.reset_parameters().
 */
static lstm_status draw_weights(lstm_layer *layer, lstm_rng *rng)
{
    float bound = (float)(1.0 / sqrt((double)layer->config.hidden));
    lstm_status status = LSTM_OK;
    for (size_t i = 0; rng && !status && i < layer->parameter_count; i++)
        status = lstm_rng_uniform(rng, layer->parameters[i].value, -bound, bound);
    return status;
}

static lstm_status fill_layer(lstm_layer *layer, lstm_rng *rng)
{
    enum { MOST_PARAMETERS = 5 };
    size_t count = layer->config.layers * layer->directions;
    layer->direction = common_alloc(count, sizeof(*layer->direction));
    layer->parameters =
        common_alloc(count * MOST_PARAMETERS, sizeof(*layer->parameters));
    layer->scratch.at = common_alloc(count, sizeof(*layer->scratch.at));
    if (!layer->direction || !layer->parameters || !layer->scratch.at)
        return lstm_fail_memory("layer");
    lstm_status status = lstm_tape_make(&layer->tape, layer,
                                        layer->config.dropout > 0 ? rng : NULL, true);
    for (size_t i = 0; !status && i < count; i++)
        status = add_direction(layer, i);
    return status ? status : draw_weights(layer, rng);
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
    lstm_layer *layer = common_alloc(1, sizeof(*layer));
    if (!layer)
        return lstm_fail_memory("layer");
    layer->config = *config;
    if (layer->config.layers == 0)
        layer->config.layers = 1;
    layer->directions = config->bidirectional ? 2 : 1;
    layer->state = config->proj_size ? config->proj_size : config->hidden;
    layer->training = true;
    layer->version = 1;
    pthread_mutex_init(&layer->packing, NULL);
    status = fill_layer(layer, rng);
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
    for (size_t i = 0; i < layer->parameter_count; i++) {
        lstm_tensor_destroy(&layer->parameters[i].value);
        lstm_tensor_destroy(&layer->parameters[i].grad);
    }
    common_free(layer->parameters);
    common_free(layer->direction);
    common_free(layer->panels);
    common_free(layer->back_panels);
    lstm_workspace_free(&layer->workspace);
    common_free(layer->scratch.at);
    lstm_tape_destroy(&layer->tape);
    pthread_mutex_destroy(&layer->packing);
    common_free(layer);
    *handle = NULL;
}

const lstm_layer_config *lstm_layer_get_config(const lstm_layer *layer)
{
    return layer ? &layer->config : NULL;
}

lstm_parameter *lstm_layer_parameters(lstm_layer *layer, size_t *count)
{
    *count = layer->parameter_count;
    return layer->parameters;
}

size_t lstm_layer_output_size(const lstm_layer *layer)
{
    return layer ? layer->directions * layer->state : 0;
}

lstm_status lstm_layer_pack(lstm_layer *layer)
{
    return layer ? lstm_layer_read_weights(layer) : lstm_fail_null("layer", "layer");
}

lstm_status lstm_layer_set_training(lstm_layer *layer, bool training)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    bool before = layer->training;
    layer->training = training;
    lstm_status status = LSTM_OK;
    if (!training)
        status = lstm_layer_read_weights(layer);
    else if (layer->preallocated)
        status = lstm_back_panels_update(layer);
    if (status)
        layer->training = before;
    else
        layer->tape->pending = false;
    return status;
}

lstm_panels lstm_layer_panels(const lstm_layer *layer, size_t index)
{
    const lstm_direction *direction = &layer->direction[index];
    return (lstm_panels){
        .inputs = direction->x_segments * direction->x_channels,
        .cell = direction->cell,
        .bias = direction->bias,
        .project = layer->config.proj_size ? direction->project : NULL,
    };
}

const lstm_kernels *lstm_layer_kernels(const lstm_layer *layer)
{
    return layer->config.precision == LSTM_BFLOAT16 ? lstm_bf16_kernels_get()
                                                    : lstm_kernels_get();
}

bool lstm_layer_is_packed(const lstm_layer *layer)
{
    return !layer->training && layer->panels && layer->packed == layer->version;
}
