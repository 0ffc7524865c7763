#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/format.h"
#include "lib/lstm/io/metadata.h"
#include "lib/lstm/nn/parameter.h"

static const char crc_key[] = "lstm.crc32", adam_key[] = "lstm.adam";
static const char rates_key[] = "lstm.adam.", rng_key[] = "lstm.rng";
static const char own_keys[] = "lstm.";

/* CRC-32 of ISO 3309, as in gzip and PNG. */
static uint32_t crc32(uint32_t crc, const unsigned char *data, size_t size)
{
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

/* Adds a key; value may be NULL, which is a lack of memory. */
static lstm_status add_text(json_t *metadata, const char *key, const char *value)
{
    if (!value || json_object_set_new(metadata, key, json_string(value)))
        return lstm_fail_memory("params");
    return LSTM_OK;
}

/* Adds a JSON value as text and gives it back; NULL is a lack of memory. */
static lstm_status add_json(json_t *metadata, const char *key, json_t *value)
{
    char text[512];
    size_t length = json_dumpb(value, text, sizeof(text) - 1, JSON_COMPACT);
    json_decref(value);
    if (length == 0)
        return lstm_fail_memory("params");
    text[length] = '\0';
    return add_text(metadata, key, text);
}

static lstm_status add_crc(json_t *metadata, const lstm_records *records)
{
    uint32_t crc = 0;
    char text[16];
    for (size_t i = 0; i < records->count; i++)
        crc = crc32(crc,
                    (const unsigned char *)lstm_tensor_data(records->items[i].tensor),
                    lstm_tensor_count(records->items[i].tensor) * sizeof(float));
    snprintf(text, sizeof(text), "%08x", (unsigned)crc);
    return add_text(metadata, crc_key, text);
}

/* A key that ends in a name, or the first length bytes of one; NULL when there is no
 * memory. */
static char *key_of(const char *beginning, const char *name, size_t length)
{
    size_t start = strlen(beginning);
    char *key = common_alloc(start + length + 1, 1);
    if (!key)
        return NULL;
    memcpy(key, beginning, start);
    memcpy(key + start, name, length);
    return key;
}

/* Options of the layer whose first parameter has this name: "PREFIX.weight_ih_l0". */
static lstm_status add_layer(json_t *metadata, const lstm_layer *layer,
                             const char *name)
{
    const lstm_layer_config *c = lstm_layer_get_config(layer);
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : 0;
    char *key = key_of(LSTM_LAYER_KEY, name, length);
    if (!key)
        return lstm_fail_memory("params");
    lstm_status status = add_json(
        metadata, key,
        json_pack("{s:I, s:I, s:I, s:I, s:f, s:b, s:b, s:b}", "inputs",
                  (json_int_t)c->inputs, "hidden", (json_int_t)c->hidden, "layers",
                  (json_int_t)c->layers, "proj_size", (json_int_t)c->proj_size,
                  "dropout", c->dropout, "bias", !c->no_bias, "batch_first",
                  c->batch_first, "bidirectional", c->bidirectional));
    common_free(key);
    return status;
}

static lstm_status add_rates(json_t *metadata, const lstm_adam_rates *rates,
                             const char *name)
{
    if (!rates->given)
        return LSTM_OK;
    char *key = key_of(rates_key, name, strlen(name));
    if (!key)
        return lstm_fail_memory("params");
    lstm_status status = add_json(metadata, key,
                                  json_pack("{s:f, s:f}", "lr_factor", rates->lr_factor,
                                            "weight_decay", rates->weight_decay));
    common_free(key);
    return status;
}

/* What a training with an optimiser needs to go on, beside the moments. */
static lstm_status add_adam(json_t *metadata, const lstm_adam *adam, size_t parameters,
                            const lstm_records *records)
{
    lstm_status status =
        add_json(metadata, adam_key,
                 json_pack("{s:I, s:f}", "steps", (json_int_t)lstm_adam_steps(adam),
                           "lr", lstm_adam_lr(adam)));
    for (size_t i = 0; !status && i < parameters; i++)
        status =
            add_rates(metadata, lstm_adam_get_rates(adam, i), records->items[i].name);
    return status;
}

static lstm_status add_rng(json_t *metadata, const lstm_rng *rng)
{
    uint8_t state[LSTM_RNG_STATE_SIZE];
    char text[2 * LSTM_RNG_STATE_SIZE + 1];
    lstm_rng_get_state(rng, state);
    for (size_t i = 0; i < LSTM_RNG_STATE_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", state[i]);
    return add_text(metadata, rng_key, text);
}

static lstm_status add_pair(json_t *metadata, const char *key, const char *value)
{
    if (!key || !value)
        return lstm_fail_null("params", key ? "value of metadata" : "key of metadata");
    if (!lstm_is_utf8(key) || !lstm_is_utf8(value))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "params: metadata %s is no UTF-8", key);
    if (strncmp(key, own_keys, strlen(own_keys)) == 0 || json_object_get(metadata, key))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "params: key %s of metadata is taken",
                         key);
    return add_text(metadata, key, value);
}

static lstm_status fill(json_t *metadata, const lstm_params *params,
                        const lstm_file_options *options, const lstm_records *records)
{
    lstm_status status = add_crc(metadata, records);
    for (size_t i = 0; !status && i < lstm_params_size(params); i++) {
        const lstm_layer *layer = lstm_params_layer(params, i);
        if (layer)
            status = add_layer(metadata, layer, records->items[i].name);
    }
    if (!status && options->adam)
        status = add_adam(metadata, options->adam, lstm_params_size(params), records);
    if (!status && options->rng)
        status = add_rng(metadata, options->rng);
    for (size_t i = 0; !status && i < options->metadata_count; i++)
        status =
            add_pair(metadata, options->metadata[2 * i], options->metadata[2 * i + 1]);
    return status;
}

lstm_status lstm_metadata_create(json_t **out, const lstm_params *params,
                                 const lstm_file_options *options,
                                 const lstm_records *records)
{
    *out = json_object();
    if (!*out)
        return lstm_fail_memory("params");
    lstm_status status = fill(*out, params, options, records);
    if (status) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

const char *lstm_metadata_find(const lstm_safetensors *file, const char *key)
{
    const json_t *metadata = json_object_get(file->header, LSTM_METADATA_KEY);
    return json_string_value(json_object_get(metadata, key));
}

lstm_status lstm_metadata_check_data(const lstm_safetensors *file,
                                     const unsigned char *data)
{
    char found[16];
    const char *expected = lstm_metadata_find(file, crc_key);
    if (!expected)
        return LSTM_OK;
    snprintf(found, sizeof(found), "%08x", (unsigned)crc32(0, data, file->size));
    if (strcmp(found, expected) == 0)
        return LSTM_OK;
    return lstm_fail(LSTM_BAD_FILE,
                     "params: %s: checksum of the data is %s, expected %s", file->path,
                     found, expected);
}

static lstm_status fail_metadata(const lstm_safetensors *file, const char *key)
{
    return lstm_fail(LSTM_BAD_FILE, "params: %s: metadata %s is missing or damaged",
                     file->path, key);
}

static lstm_status read_adam(const lstm_safetensors *file, lstm_progress *progress)
{
    const char *text = lstm_metadata_find(file, adam_key);
    json_int_t steps = -1;
    lstm_status status = text ? lstm_json_unpack(text, 2, "{s:I, s:F}", "steps", &steps,
                                                 "lr", &progress->lr)
                              : LSTM_BAD_FILE;
    if (status == LSTM_OUT_OF_MEMORY)
        return status;
    if (status || steps < 0 || !(progress->lr >= 0 && isfinite(progress->lr)))
        return fail_metadata(file, adam_key);
    progress->steps = (uint64_t)steps;
    return LSTM_OK;
}

/* Rates of the parameter of this name, when the file has them: it has those of
 * parameters that were given their own. */
static lstm_status read_rates(const lstm_safetensors *file, const char *name,
                              lstm_adam_rates *rates)
{
    char *key = key_of(rates_key, name, strlen(name));
    if (!key)
        return lstm_fail_memory("params");
    const char *text = lstm_metadata_find(file, key);
    lstm_status status =
        text ? lstm_json_unpack(text, 2, "{s:F, s:F}", "lr_factor", &rates->lr_factor,
                                "weight_decay", &rates->weight_decay)
             : LSTM_OK;
    rates->given = text;
    bool right = rates->lr_factor >= 0 && isfinite(rates->lr_factor) &&
                 rates->weight_decay >= 0 && isfinite(rates->weight_decay);
    if (status != LSTM_OUT_OF_MEMORY && (status || !right))
        status = fail_metadata(file, key);
    common_free(key);
    return status;
}

static lstm_status read_all_rates(const lstm_safetensors *file,
                                  const lstm_records *records, size_t parameters,
                                  lstm_progress *progress)
{
    progress->rates = common_alloc(parameters, sizeof(*progress->rates));
    if (!progress->rates)
        return lstm_fail_memory("params");
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < parameters; i++)
        status = read_rates(file, records->items[i].name, &progress->rates[i]);
    return status;
}

/* Value of a hexadecimal digit; -1 when it is none. */
static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

static lstm_status read_rng(const lstm_safetensors *file, lstm_progress *progress)
{
    const char *text = lstm_metadata_find(file, rng_key);
    if (!text || strlen(text) != 2 * LSTM_RNG_STATE_SIZE)
        return fail_metadata(file, rng_key);
    for (size_t i = 0; i < LSTM_RNG_STATE_SIZE; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail_metadata(file, rng_key);
        progress->rng[i] = (uint8_t)(high << 4 | low);
    }
    return LSTM_OK;
}

lstm_status lstm_metadata_read_progress(const lstm_safetensors *file,
                                        const lstm_file_options *options,
                                        const lstm_records *records, size_t parameters,
                                        lstm_progress *progress)
{
    lstm_status status = options->adam ? read_adam(file, progress) : LSTM_OK;
    if (!status && options->adam)
        status = read_all_rates(file, records, parameters, progress);
    if (!status && options->rng)
        status = read_rng(file, progress);
    return status;
}
