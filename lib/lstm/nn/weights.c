/*
 * Parameters of a layer: creation and initial values.
 */
#include "lib/lstm/nn/weights.h"

#include <math.h>
#include <stdio.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"

static lstm_status add_parameter(lstm_weights *weights, lstm_parameter **out,
                                 const lstm_cell_form *form, size_t index)
{
    lstm_parameter *parameter = &weights->parameters[weights->parameter_count++];
    bool reverse = index % weights->directions;
    snprintf(parameter->name, sizeof(parameter->name), "%s_l%zu%s", form->name,
             index / weights->directions, reverse ? "_reverse" : "");
    parameter->version = &weights->version;
    parameter->bytes = weights->config.precision == LSTM_INT8 && form->rank == 2;
    *out = parameter;
    lstm_status status = lstm_tensor_create(&parameter->value, form->rank, form->shape);
    /* int8 has no training. */
    if (status || weights->config.precision == LSTM_INT8)
        return status;
    return lstm_tensor_create(&parameter->grad, form->rank, form->shape);
}

static lstm_status add_direction(lstm_weights *weights, size_t index)
{
    const lstm_layer_config *config = &weights->config;
    lstm_direction *direction = &weights->direction[index];
    bool first = index < weights->directions;
    direction->x_segments = first ? 1 : weights->directions;
    direction->x_channels = first ? config->inputs : weights->state;
    lstm_status status = LSTM_OK;
    for (int i = 0; !status && i < LSTM_CELL_PARAMETERS; i++) {
        lstm_cell_form form = lstm_cell_parameter_form(
            config, (lstm_cell_parameter)i, lstm_direction_inputs(direction));
        if (form.rank > 0)
            status = add_parameter(weights, &direction->parameters[i], &form, index);
    }
    return status;
}

lstm_status lstm_weights_create(lstm_weights *weights, const lstm_layer_config *config)
{
    weights->config = *config;
    if (config->layers == 0)
        weights->config.layers = 1;
    weights->directions = config->bidirectional ? 2 : 1;
    weights->state = lstm_cell_state(config);
    weights->version = 1;
    lstm_lock_create(&weights->packing);
    size_t count = lstm_weights_count(weights);
    weights->direction = common_alloc(count, sizeof(*weights->direction));
    weights->parameters =
        common_alloc(count * LSTM_CELL_PARAMETERS, sizeof(*weights->parameters));
    if (!weights->direction || !weights->parameters)
        return lstm_fail_memory("layer");
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = add_direction(weights, i);
    return status;
}

/* Uniform in +-1/sqrt(H), in order, as torch.nn.LSTM.reset_parameters() does. */
lstm_status lstm_weights_draw(lstm_weights *weights, lstm_rng *rng)
{
    float bound = (float)(1.0 / sqrt((double)weights->config.hidden));
    lstm_status status = LSTM_OK;
    for (size_t i = 0; rng && !status && i < weights->parameter_count; i++)
        status = lstm_rng_uniform(rng, weights->parameters[i].value, -bound, bound);
    return status;
}

void lstm_weights_destroy(lstm_weights *weights)
{
    for (size_t i = 0; i < weights->parameter_count; i++) {
        lstm_tensor_destroy(&weights->parameters[i].value);
        lstm_tensor_destroy(&weights->parameters[i].grad);
    }
    common_free(weights->parameters);
    common_free(weights->direction);
    common_free(weights->panels);
    common_free(weights->back_panels);
    lstm_lock_destroy(&weights->packing);
}

static const lstm_kernels *bf16_kernels(bool training)
{
    const lstm_kernels *kernels = lstm_bf16_kernels_get();
    return training && kernels->training ? kernels->training : kernels;
}

const lstm_kernels *lstm_weights_kernels(const lstm_weights *weights, bool training)
{
    switch (weights->config.precision) {
    case LSTM_BFLOAT16:
        return bf16_kernels(training);
    case LSTM_INT8:
        return lstm_int8_kernels_get();
    default:
        return lstm_kernels_get();
    }
}
