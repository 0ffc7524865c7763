/*
 * Creates the metadata of a file that is saved.
 */
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/metadata.h"

lstm_status lstm_metadata_add(lstm_metadata *metadata, const char *first,
                              const char *second, const char *value)
{
    enum { FIRST = 32 };
    if (metadata->count == metadata->room) {
        size_t room = metadata->room ? 2 * metadata->room : FIRST;
        lstm_entry *items = common_alloc(room, sizeof(*items));
        if (!items)
            return lstm_fail_memory("params");
        if (metadata->items)
            memcpy(items, metadata->items, metadata->count * sizeof(*items));
        common_free(metadata->items);
        metadata->items = items;
        metadata->room = room;
    }
    size_t key = strlen(first) + strlen(second) + 1, size = strlen(value) + 1;
    char *text = common_alloc_bytes(key + size);
    if (!text)
        return lstm_fail_memory("params");
    snprintf(text, key, "%s%s", first, second);
    memcpy(text + key, value, size);
    metadata->items[metadata->count++] = (lstm_entry){text, text + key};
    return LSTM_OK;
}

void lstm_metadata_destroy(lstm_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        common_free((char *)metadata->items[i].key);
    common_free(metadata->items);
    *metadata = (lstm_metadata){0};
}

/* Adds a text and frees it. */
static lstm_status add_text(lstm_metadata *metadata, const char *first,
                            const char *second, lstm_text *text)
{
    lstm_status status = text->failed
                             ? lstm_fail_memory("params")
                             : lstm_metadata_add(metadata, first, second, text->data);
    lstm_text_destroy(text);
    return status;
}

static const char *boolean(bool value)
{
    return value ? "true" : "false";
}

static void write_config(lstm_text *text, const lstm_layer_config *c)
{
    lstm_text_add(text,
                  "{\"version\":\"%s\",\"inputs\":%zu,\"hidden\":%zu,\"layers\":%zu,"
                  "\"proj_size\":%zu,\"dropout\":",
                  LSTM_OBJECT_VERSION, c->inputs, c->hidden, c->layers, c->proj_size);
    lstm_text_double(text, c->dropout);
    lstm_text_add(text,
                  ",\"bias\":%s,\"batch_first\":%s,\"bidirectional\":%s,"
                  "\"precision\":\"%s\"}",
                  boolean(!c->no_bias), boolean(c->batch_first),
                  boolean(c->bidirectional), lstm_precision_names[c->precision]);
}

/* Adds the options of the layer whose first parameter has this name:
 * "PREFIX.weight_ih_l0". */
static lstm_status add_layer(lstm_metadata *metadata, const lstm_layer *layer,
                             const char *name)
{
    lstm_text text = {0};
    const char *dot = strrchr(name, '.');
    char *prefix = common_strdup(name);
    if (!prefix)
        return lstm_fail_memory("params");
    prefix[dot ? dot - name : 0] = '\0';
    write_config(&text, lstm_layer_get_config(layer));
    lstm_status status = add_text(metadata, LSTM_LAYER_KEY, prefix, &text);
    common_free(prefix);
    return status;
}

/* Adds steps and rates of a parameter if they differ from those of the optimiser. */
static lstm_status add_slot(lstm_metadata *metadata, const lstm_adam *adam,
                            size_t index, const char *name)
{
    lstm_text text = {0};
    const lstm_adam_rates *rates = lstm_adam_get_rates(adam, index);
    uint64_t steps = lstm_adam_parameter_steps(adam, index);
    if (!rates->is_set && steps == lstm_adam_steps(adam))
        return LSTM_OK;
    lstm_text_add(&text, "{\"steps\":%llu", (unsigned long long)steps);
    if (rates->is_set) {
        lstm_text_add(&text, ",\"lr_factor\":");
        lstm_text_double(&text, rates->lr_factor);
        lstm_text_add(&text, ",\"weight_decay\":");
        lstm_text_double(&text, rates->weight_decay);
    }
    lstm_text_add(&text, "}");
    return add_text(metadata, LSTM_SLOT_KEY, name, &text);
}

/* Adds the state of an optimiser except for the moments, which are tensors. */
static lstm_status add_adam(lstm_metadata *metadata, const lstm_adam *adam,
                            size_t parameters, const lstm_records *records)
{
    lstm_text text = {0};
    lstm_text_add(&text,
                  "{\"version\":\"%s\",\"steps\":%llu,\"lr\":", LSTM_OBJECT_VERSION,
                  (unsigned long long)lstm_adam_steps(adam));
    lstm_text_double(&text, lstm_adam_lr(adam));
    lstm_text_add(&text, "}");
    lstm_status status = add_text(metadata, LSTM_ADAM_KEY, "", &text);
    for (size_t i = 0; !status && i < parameters; i++)
        status = add_slot(metadata, adam, i, records->items[i].name);
    return status;
}

static lstm_status add_rng(lstm_metadata *metadata, const lstm_rng *rng)
{
    uint8_t state[LSTM_RNG_STATE_SIZE];
    char text[2 * LSTM_RNG_STATE_SIZE + 1];
    lstm_rng_get_state(rng, state);
    for (size_t i = 0; i < LSTM_RNG_STATE_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", state[i]);
    return lstm_metadata_add(metadata, LSTM_RNG_KEY, "", text);
}

static lstm_status add_pair(lstm_metadata *metadata, const char *key, const char *value)
{
    if (!key || !value)
        return lstm_fail_null("params", key ? "value of metadata" : "key of metadata");
    if (!lstm_is_utf8(key) || !lstm_is_utf8(value))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: metadata %s is not valid UTF-8", key);
    if (strncmp(key, LSTM_OWN_KEYS, strlen(LSTM_OWN_KEYS)) == 0)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT,
            "params: metadata key %s is reserved: it begins with " LSTM_OWN_KEYS, key);
    return lstm_metadata_add(metadata, key, "", value);
}

static lstm_status add_crc(lstm_metadata *metadata, const lstm_record *record)
{
    char text[LSTM_CRC_TEXT];
    lstm_checksum_data(text, lstm_record_data(record), lstm_record_size(record));
    return lstm_metadata_add(metadata, LSTM_CRC_KEY, record->name, text);
}

lstm_status lstm_metadata_fill(lstm_metadata *metadata, const lstm_params *params,
                               const lstm_file_options *options,
                               const lstm_records *records)
{
    lstm_status status = LSTM_OK;
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
    for (size_t i = 0; !status && i < records->count; i++)
        status = add_crc(metadata, &records->items[i]);
    return status;
}
