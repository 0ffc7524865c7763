#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/hash.h"
#include "examples/stream/fingerprint.h"

void fingerprint_write(char *text, const lstm_params *params, const model_keys *keys)
{
    const double inputs[] = {keys->mean, keys->deviation, keys->in_gain,
                             keys->differences};
    uint64_t hash = common_hash(COMMON_HASH_START, inputs, sizeof(inputs));
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const char *name = lstm_params_name(params, i);
        const lstm_tensor *value = lstm_params_value(params, i);
        hash = common_hash(hash, name, strlen(name) + 1);
        hash = common_hash(hash, lstm_tensor_data(value),
                           lstm_tensor_count(value) * sizeof(float));
    }
    snprintf(text, FINGERPRINT_SIZE, "%016" PRIx64, hash);
}
