#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/rules.h"
#include "examples/stream/fingerprint.h"
#include "examples/stream/model.h"
#include "examples/stream/states.h"

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

/* The tensor "PREFIX.NAME", or "NAME" without prefix. */
static char *join(const char *prefix, const char *name)
{
    size_t size = strlen(prefix) + strlen(name) + 2;
    char *joined = malloc(size);
    if (joined)
        snprintf(joined, size, "%s%s%s", prefix, *prefix ? "." : "", name);
    else
        message_error("out of memory");
    return joined;
}

/* Lists all weights, and checks that they are finite. */
static bool check_weights(model *m, const char *path, const char *prefix,
                          const char *head)
{
    char why[400];
    if (lstm_params_create(&m->params) != LSTM_OK ||
        lstm_params_add_layer(m->params, prefix, m->layer) != LSTM_OK ||
        (m->head && lstm_params_add_linear(m->params, head, m->head) != LSTM_OK) ||
        (m->table && lstm_params_add_tensor(m->params, "embedding.weight", m->table,
                                            NULL) != LSTM_OK))
        return lstm_failed();
    return finite_check(m->params, path, why, sizeof(why)) || message_error("%s", why);
}

static bool has_tensor(const lstm_file *file, const char *name)
{
    lstm_tensor_info info;
    return states_find(file, name, &info);
}

static bool read_head(model *m, lstm_file *file, const char *head)
{
    if (!head && !has_tensor(file, "fc.weight"))
        return true;
    return lstm_linear_read(&m->head, file, head ? head : "fc") == LSTM_OK ||
           lstm_failed();
}

static bool read_embedding(model *m, lstm_file *file, const char *path)
{
    lstm_tensor_info info;
    size_t inputs = lstm_layer_get_config(m->layer)->inputs;
    if (!states_find(file, "embedding.weight", &info))
        return true;
    if (info.rank != 2 || info.shape[1] != inputs)
        return message_error("%s: embedding.weight does not have 2 axes and %zu "
                             "columns, the inputs of the LSTM",
                             path, inputs);
    return (lstm_tensor_create(&m->table, info.rank, info.shape) == LSTM_OK &&
            lstm_file_read_tensor(file, info.name, m->table) == LSTM_OK) ||
           lstm_failed();
}

static bool allocate(model *m)
{
    size_t inputs = lstm_layer_get_config(m->layer)->inputs;
    m->inputs = m->table ? 1 : inputs;
    m->outputs = m->head ? lstm_linear_get_config(m->head)->outputs
                         : lstm_layer_output_size(m->layer);
    if (lstm_tensor_create(&m->x, 2, (size_t[]){1, inputs}) != LSTM_OK ||
        lstm_tensor_create(&m->y, 2, (size_t[]){1, m->outputs}) != LSTM_OK)
        return lstm_failed();
    m->values = calloc(m->outputs, sizeof(*m->values));
    return m->values || message_error("out of memory");
}

/* Whether a tensor is one of the LSTM, which refuses those of its names that it does
 * not use. The names of an LSTMCell have no "_l0". */
static bool is_of_layer(const char *whole, const char *prefix)
{
    static const char *const stems[] = {"weight_ih", "weight_hh", "weight_hr",
                                        "bias_ih", "bias_hh"};
    size_t length = strlen(prefix);
    if (length && (strncmp(whole, prefix, length) != 0 || whole[length] != '.'))
        return false;
    const char *name = length ? whole + length + 1 : whole;
    for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
        if (strncmp(name, stems[i], strlen(stems[i])) == 0)
            return true;
    return false;
}

/* Whether the model uses a tensor, or it is one of an optimiser. */
static bool is_used(const model *m, const char *name, const char *prefix)
{
    for (size_t i = 0; i < lstm_params_size(m->params); i++)
        if (strcmp(name, lstm_params_name(m->params, i)) == 0)
            return true;
    return is_of_layer(name, prefix) || strcmp(name, m->h_name) == 0 ||
           strcmp(name, m->c_name) == 0 || strncmp(name, "__adam__.", 9) == 0;
}

/* Warns of the tensors that the model does not use: one of them may be a head with
 * another name. */
static void name_unused(const model *m, const lstm_file *file, const char *path,
                        const char *prefix)
{
    enum { SHOWN = 5 };
    char text[600] = "";
    size_t length = 0, count = 0;
    lstm_tensor_info info;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++) {
        lstm_tensor_info of;
        if (is_used(m, info.name, prefix) ||
            (rules_is_scale(file, info.name, &of) && is_used(m, of.name, prefix)))
            continue;
        if (count++ < SHOWN)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.100s",
                                       count > 1 ? ", " : "", info.name);
    }
    if (count > SHOWN)
        message_warning("%s: not used: %s and %zu more tensors", path, text,
                        count - SHOWN);
    else if (count)
        message_warning("%s: not used: %s", path, text);
}

static bool set_first_states(model *m, lstm_file *file)
{
    bool has_h = has_tensor(file, m->h_name), has_c = has_tensor(file, m->c_name);
    return states_read(m->stream, m->layer, file, m->path, has_h ? m->h_name : NULL,
                       has_c ? m->c_name : NULL);
}

static bool read_file(model *m, lstm_file *file, const char *path, const char *prefix,
                      const char *head)
{
    if (lstm_layer_read(&m->layer, file, prefix, NULL) != LSTM_OK)
        return lstm_failed();
    prefix = prefix ? prefix : lstm_file_layer_prefix(file, 0);
    if (!read_head(m, file, head) || !read_embedding(m, file, path) ||
        !check_weights(m, path, prefix, head ? head : "fc") || !allocate(m) ||
        !(m->h_name = join(prefix, "h0")) || !(m->c_name = join(prefix, "c0")))
        return false;
    size_t inputs = lstm_tensor_extent(m->x, 1);
    if (!keys_read(&m->keys, path, file, prefix,
                   inputs < m->outputs ? inputs : m->outputs))
        return false;
    if (m->keys.differences && (m->table || m->inputs != 1 || m->outputs != 1))
        return message_error("%s: metadata model.differences needs one input and one "
                             "output, and no embedding",
                             path);
    if (lstm_layer_set_training(m->layer, false) != LSTM_OK ||
        lstm_stream_create(&m->stream, m->layer, m->head, 1) != LSTM_OK)
        return lstm_failed();
    name_unused(m, file, path, prefix);
    return set_first_states(m, file);
}

bool model_load(model *m, const char *path, const char *prefix, const char *head)
{
    lstm_file *file;
    m->path = path;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    bool loaded = read_file(m, file, path, prefix, head);
    lstm_file_destroy(&file);
    return loaded;
}

void model_destroy(model *m)
{
    lstm_tensor_destroy(&m->x);
    lstm_tensor_destroy(&m->y);
    lstm_params_destroy(&m->params);
    lstm_tensor_destroy(&m->table);
    lstm_stream_destroy(&m->stream);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
    free(m->h_name);
    free(m->c_name);
    free(m->values);
    *m = (model){0};
}

/* Whether a file has states of this model, or does not tell. */
static bool check_model(const model *m, const char *path, const lstm_file *file)
{
    char own[FINGERPRINT_SIZE];
    const char *found = lstm_file_metadata(file, STATES_MODEL_KEY);
    fingerprint_write(own, m->params, &m->keys);
    if (!found)
        message_warning("%s: has no metadata " STATES_MODEL_KEY
                        ", so it is not known whether these are states of %s",
                        path, m->path);
    return !found || strcmp(found, own) == 0 ||
           message_error("%s: has states of the model %s, expected those of %s, the "
                         "model %s",
                         path, found, m->path, own);
}

bool model_load_state(model *m, const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    const char *before = lstm_file_metadata(file, "stream.before");
    bool read = states_read(m->stream, m->layer, file, path, m->h_name, m->c_name) &&
                check_model(m, path, file);
    m->has_before = before && number_real(before, &m->before);
    if (read && m->keys.differences && !m->has_before)
        read =
            message_error("%s: metadata stream.before is %s, expected the value of the "
                          "step before, which a model of differences needs",
                          path, before ? "not a number" : "missing");
    lstm_file_destroy(&file);
    return read;
}

bool model_may_save_state(const model *m, const char *path)
{
    return states_may_save(path, m->h_name, m->c_name);
}

bool model_save_state(const model *m, const char *path)
{
    char own[FINGERPRINT_SIZE];
    fingerprint_write(own, m->params, &m->keys);
    return states_save(m->stream, m->layer, path, m->h_name, m->c_name, own,
                       m->keys.differences && m->has_before ? &m->before : NULL);
}

static bool set_index(model *m, double value)
{
    size_t count = lstm_tensor_extent(m->table, 0),
           size = lstm_tensor_extent(m->table, 1);
    if (!(value >= 0 && value < (double)count) || value != floor(value))
        return false;
    const float *row = lstm_tensor_data(m->table) + (size_t)value * size;
    for (size_t i = 0; i < size; i++)
        lstm_tensor_data(m->x)[i] = keys_scale_input(&m->keys, (double)row[i]);
    return true;
}

bool model_set_input(model *m, size_t i, double value)
{
    if (m->table)
        return set_index(m, value);
    m->value = value;
    if (m->keys.differences)
        value -= m->has_before ? m->before : value;
    float input = keys_scale_input(&m->keys, value);
    lstm_tensor_data(m->x)[i] = input;
    return isfinite(input);
}

bool model_step(model *m)
{
    if (lstm_stream_step(m->stream, m->x, m->y) != LSTM_OK ||
        keys_finish_output(&m->keys, m->x, m->y, m->values) != LSTM_OK)
        return lstm_failed();
    if (m->keys.differences)
        m->values[0] += m->value;
    m->before = m->value;
    m->has_before = true;
    for (size_t i = 0; i < m->outputs; i++)
        if (!isfinite(m->values[i]))
            return message_error("output %zu of the model is %g, expected a finite "
                                 "number",
                                 i + 1, m->values[i]);
    return true;
}
