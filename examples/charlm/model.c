#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/charlm/model.h"
#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/rules.h"

static bool create(char_model *m, const lstm_layer_config *layer, lstm_rng *rng)
{
    const lstm_embedding_config embedding = {.count = TEXT_BYTES,
                                             .size = layer->inputs};
    const lstm_linear_config head = {.inputs = layer->hidden, .outputs = TEXT_BYTES};
    return lstm_embedding_create(&m->embedding, &embedding, rng) == LSTM_OK &&
           lstm_layer_create(&m->layer, layer, rng) == LSTM_OK &&
           lstm_linear_create(&m->head, &head, rng) == LSTM_OK &&
           lstm_params_create(&m->params) == LSTM_OK &&
           lstm_params_add_embedding(m->params, "embedding", m->embedding) == LSTM_OK &&
           lstm_params_add_layer(m->params, "lstm", m->layer) == LSTM_OK &&
           lstm_params_add_linear(m->params, "fc", m->head) == LSTM_OK &&
           lstm_adam_create(&m->adam, m->params, &(lstm_adam_config){.lr = 0.005}) ==
               LSTM_OK;
}

/* Reports a failed call and frees what it left. */
static bool fail(char_model *m)
{
    message_error("%s", lstm_last_error());
    model_destroy(m);
    return false;
}

bool model_create(char_model *m, size_t hidden, uint64_t seed)
{
    const lstm_layer_config layer = {.inputs = MODEL_EMBEDDING, .hidden = hidden};
    lstm_rng *rng;
    *m = (char_model){0};
    if (lstm_rng_create(&rng, seed) != LSTM_OK)
        return fail(m);
    bool created = create(m, &layer, rng);
    lstm_rng_destroy(&rng);
    return created || fail(m);
}

void model_destroy(char_model *m)
{
    lstm_adam_destroy(&m->adam);
    lstm_params_destroy(&m->params);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
    lstm_embedding_destroy(&m->embedding);
}

enum { DIGITS = TEXT_BYTES / 4 };

/* One hexadecimal digit for four bytes, the lowest first. */
static void write_occurs(const bool *occurs, char *text)
{
    for (size_t i = 0; i < DIGITS; i++) {
        const bool *four = occurs + 4 * i;
        text[i] = "0123456789abcdef"[four[0] + 2 * four[1] + 4 * four[2] + 8 * four[3]];
    }
    text[DIGITS] = '\0';
}

static bool read_occurs(const char *text, bool *occurs)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != DIGITS || strspn(text, digits) != DIGITS)
        return false;
    for (size_t i = 0; i < TEXT_BYTES; i++)
        occurs[i] = (strchr(digits, text[i / 4]) - digits) >> i % 4 & 1;
    return true;
}

bool model_save(const char_model *m, const char *path, const char_run *run)
{
    char epochs[24], size[24], hash[24], held_out[32], occurs[DIGITS + 1];
    const char *pairs[] = {"charlm.epochs",   epochs,
                           "charlm.size",     size,
                           "charlm.hash",     hash,
                           "charlm.held_out", held_out,
                           "charlm.encoding", run->utf8 ? "utf-8" : "bytes",
                           "charlm.bytes",    occurs};
    const lstm_file_options options = {.adam = m->adam,
                                       .metadata = pairs,
                                       .metadata_count =
                                           sizeof(pairs) / sizeof(pairs[0]) / 2};
    snprintf(epochs, sizeof(epochs), "%" PRIu64, run->epochs);
    snprintf(size, sizeof(size), "%" PRIu64, run->size);
    snprintf(hash, sizeof(hash), "%" PRIu64, run->hash);
    snprintf(held_out, sizeof(held_out), "%.17g", run->held_out);
    write_occurs(run->occurs, occurs);
    return lstm_params_save(m->params, path, &options) == LSTM_OK ||
           message_error("%s", lstm_last_error());
}

static bool refuse(const char *path, const char *key, const char *text,
                   const char *expected)
{
    if (!text)
        return message_error("%s: metadata %s is missing: not a model of charlm", path,
                             key);
    return message_error("%s: metadata %s is '%s', expected %s", path, key, text,
                         expected);
}

static bool read_count(const lstm_file *file, const char *path, const char *key,
                       uint64_t *count)
{
    const char *text = lstm_file_metadata(file, key);
    return (text && number_count(text, count)) ||
           refuse(path, key, text, "an integer below 2^64");
}

static bool read_encoding(const lstm_file *file, const char *path, bool *utf8)
{
    const char *text = lstm_file_metadata(file, "charlm.encoding");
    *utf8 = text && strcmp(text, "utf-8") == 0;
    return *utf8 || (text && strcmp(text, "bytes") == 0) ||
           refuse(path, "charlm.encoding", text, "utf-8 or bytes");
}

static bool read_run(const lstm_file *file, const char *path, char_run *run)
{
    const char *held_out = lstm_file_metadata(file, "charlm.held_out");
    const char *occurs = lstm_file_metadata(file, "charlm.bytes");
    if (!read_count(file, path, "charlm.epochs", &run->epochs) ||
        !read_count(file, path, "charlm.size", &run->size) ||
        !read_count(file, path, "charlm.hash", &run->hash) ||
        !read_encoding(file, path, &run->utf8))
        return false;
    if (!held_out || !number_real(held_out, &run->held_out) ||
        !(run->held_out >= 0 && run->held_out < 1))
        return refuse(path, "charlm.held_out", held_out, "a number from 0 to 1");
    return (occurs && read_occurs(occurs, run->occurs)) ||
           refuse(path, "charlm.bytes", occurs, "64 hexadecimal digits");
}

/* Whether a layer is one of model_create(). */
static bool check_layer(const lstm_layer_config *layer, const char *path)
{
    if (layer->layers <= 1 && !layer->proj_size && !layer->bidirectional &&
        !layer->no_bias && !layer->batch_first && layer->precision == LSTM_FLOAT32)
        return true;
    return message_error("%s: the LSTM has other options than those of charlm: 1 "
                         "layer, 1 direction, float32, no projection",
                         path);
}

/* Refuses keys and first states, which change the outputs. */
static bool check_rest(const lstm_file *file, const char *path)
{
    static const char *const steps[] = {"steps", NULL};
    static const rule rules[] = {{"model.output", steps}, {NULL, NULL}};
    char why[4600];
    return (rules_check_keys(file, path, rules, why, sizeof(why)) &&
            rules_check_tensors(file, path, "lstm", true, why, sizeof(why))) ||
           message_error("%s", why);
}

static bool read_model(char_model *m, lstm_file *file, const lstm_layer_config *layer)
{
    if (!create(m, layer, NULL))
        return false;
    const lstm_file_options options = {.adam = m->adam, .allow_surplus = true};
    return lstm_params_read(m->params, file, &options) == LSTM_OK;
}

static bool read_file(char_model *m, lstm_file *file, const char *path)
{
    lstm_layer_config layer;
    if (lstm_file_layer_config(file, "lstm", &layer) != LSTM_OK)
        return fail(m);
    if (!check_layer(&layer, path))
        return false;
    if (!read_model(m, file, &layer))
        return fail(m);
    char why[4600];
    if (finite_check(m->params, path, why, sizeof(why)) &&
        rules_check_surplus(file, path, m->params, NULL, why, sizeof(why)))
        return true;
    model_destroy(m);
    return message_error("%s", why);
}

bool model_load(char_model *m, const char *path, char_run *run)
{
    lstm_file *file;
    *m = (char_model){0};
    if (lstm_file_open(&file, path) != LSTM_OK)
        return fail(m);
    bool loaded =
        read_run(file, path, run) && check_rest(file, path) && read_file(m, file, path);
    lstm_file_destroy(&file);
    return loaded;
}
