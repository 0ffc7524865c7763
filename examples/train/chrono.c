#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/train/chrono.h"

/* Sets the biases of the gates i and f, the first two of [4 H] of a direction of a
 * layer. draws has room for [H]. */
static bool set_biases(float *biases, size_t hidden, bool sums, uint64_t steps,
                       lstm_rng *rng, lstm_tensor *draws)
{
    memset(biases, 0, 2 * hidden * sizeof(*biases));
    if (!sums)
        return true;
    if (lstm_rng_uniform(rng, draws, 1, (float)(steps - 1)) != LSTM_OK)
        return false;
    for (size_t unit = 0; unit < hidden; unit++) {
        biases[hidden + unit] = (float)log((double)lstm_tensor_data(draws)[unit]);
        biases[unit] = -biases[hidden + unit];
    }
    return true;
}

/* Sets the biases among the values of all parameters. */
static bool set_all(const lstm_params *params, float *values, uint64_t steps,
                    lstm_rng *rng, lstm_tensor *draws)
{
    size_t hidden = lstm_tensor_extent(draws, 0);
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const char *name = lstm_params_name(params, i);
        bool sums = strstr(name, ".bias_ih_"), others = strstr(name, ".bias_hh_");
        if ((sums || others) && !set_biases(values, hidden, sums, steps, rng, draws))
            return false;
        values += lstm_tensor_count(lstm_params_value(params, i));
    }
    return true;
}

bool chrono_init(classifier *network, uint64_t steps, lstm_rng *rng)
{
    const size_t hidden = network->config.layers.hidden;
    size_t count = lstm_params_count(network->params);
    lstm_tensor *draws = NULL;
    if (steps == 0)
        return true;
    float *values = malloc(count * sizeof(*values));
    if (!values)
        return message_error("no memory for %zu weights", count);
    bool done = lstm_tensor_create(&draws, 1, &hidden) == LSTM_OK &&
                lstm_params_get_values(network->params, values) == LSTM_OK &&
                set_all(network->params, values, steps, rng, draws) &&
                lstm_params_set_values(network->params, values) == LSTM_OK;
    lstm_tensor_destroy(&draws);
    free(values);
    return done || message_error("%s", lstm_last_error());
}
