#include <string.h>

#include "examples/train/average.h"

bool average_create(train_average *average, double decay, const lstm_params *params,
                    lstm_params *stored)
{
    const size_t count = lstm_params_count(params);
    average->decay = decay;
    return decay == 0 || (lstm_tensor_create(&average->values, 1, &count) == LSTM_OK &&
                          lstm_tensor_create(&average->network, 1, &count) == LSTM_OK &&
                          lstm_params_add_tensor(stored, "average", average->values,
                                                 NULL) == LSTM_OK);
}

void average_destroy(train_average *average)
{
    lstm_tensor_destroy(&average->values);
    lstm_tensor_destroy(&average->network);
}

const float *average_values(const train_average *average)
{
    return average->values && average->started ? lstm_tensor_data(average->values)
                                               : NULL;
}

/* torch.lerp begins at the nearer end. */
static void move(float *restrict average, const float *restrict weights, size_t count,
                 float share)
{
    float rest = 1 - share;
    if (share < 0.5f)
        for (size_t i = 0; i < count; i++)
            average[i] += share * (weights[i] - average[i]);
    else
        for (size_t i = 0; i < count; i++)
            average[i] = weights[i] - (weights[i] - average[i]) * rest;
}

bool average_update(train_average *average, const lstm_params *params)
{
    if (!average->values)
        return true;
    float *values = lstm_tensor_data(average->values);
    if (!average->started) {
        average->started = true;
        return lstm_params_get_values(params, values) == LSTM_OK;
    }
    float *weights = lstm_tensor_data(average->network);
    if (lstm_params_get_values(params, weights) != LSTM_OK)
        return false;
    move(values, weights, lstm_params_count(params), (float)(1 - average->decay));
    return true;
}

bool average_show(train_average *average, lstm_params *params)
{
    const float *values = average_values(average);
    return !values || (lstm_params_get_values(
                           params, lstm_tensor_data(average->network)) == LSTM_OK &&
                       lstm_params_set_values(params, values) == LSTM_OK);
}

bool average_hide(train_average *average, lstm_params *params)
{
    return !average_values(average) ||
           lstm_params_set_values(params, lstm_tensor_data(average->network)) ==
               LSTM_OK;
}
