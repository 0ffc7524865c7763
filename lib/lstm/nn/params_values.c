/* Values and gradients of parameter sets as flat arrays. */
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/params.h>

static lstm_status check(const lstm_params *params, const char *name,
                         const float *values)
{
    if (!params)
        return lstm_fail_null("params", "params");
    return values ? LSTM_OK : lstm_fail_null("params", name);
}

lstm_status lstm_params_get_values(const lstm_params *params, float *values)
{
    lstm_status status = check(params, "values", values);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_tensor *value = lstm_params_value(params, i);
        lstm_tensor_gather(values, value);
        values += lstm_tensor_count(value);
    }
    return status;
}

lstm_status lstm_params_set_values(lstm_params *params, const float *values)
{
    lstm_status status = check(params, "values", values);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_parameter *parameter = lstm_params_parameter(params, i);
        lstm_tensor_scatter(parameter->value, values);
        values += lstm_tensor_count(parameter->value);
        ++*parameter->version;
    }
    return status;
}

lstm_status lstm_params_get_grads(const lstm_params *params, float *grads)
{
    lstm_status status = check(params, "grads", grads);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_parameter *parameter = lstm_params_parameter(params, i);
        size_t count = lstm_tensor_count(parameter->value);
        if (parameter->grad)
            lstm_tensor_gather(grads, parameter->grad);
        else
            memset(grads, 0, count * sizeof(*grads));
        grads += count;
    }
    return status;
}

lstm_status lstm_params_set_grads(lstm_params *params, const float *grads)
{
    lstm_status status = check(params, "grads", grads);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_parameter *parameter = lstm_params_parameter(params, i);
        if (parameter->grad)
            lstm_tensor_scatter(parameter->grad, grads);
        grads += lstm_tensor_count(parameter->value);
    }
    return status;
}
