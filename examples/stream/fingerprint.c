#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/stream/fingerprint.h"

/* 64-bit FNV-1a. */
static uint64_t add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void fingerprint_write(char *text, const lstm_params *params, const model_keys *keys)
{
    const double inputs[] = {keys->mean, keys->deviation, keys->in_gain,
                             keys->differences};
    uint64_t hash = add(UINT64_C(0xcbf29ce484222325), inputs, sizeof(inputs));
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const char *name = lstm_params_name(params, i);
        const lstm_tensor *value = lstm_params_value(params, i);
        hash = add(hash, name, strlen(name) + 1);
        hash = add(hash, lstm_tensor_data(value),
                   lstm_tensor_count(value) * sizeof(float));
    }
    snprintf(text, FINGERPRINT_SIZE, "%016" PRIx64, hash);
}
