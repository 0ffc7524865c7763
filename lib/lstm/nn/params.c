/* Named sets of parameters: what is in them. params_gradient.c has what is computed. */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/params.h>

typedef struct entry {
    char *name;
    lstm_parameter *parameter;
    /** The layer whose first parameter this is, or NULL. */
    const lstm_layer *layer;
} entry;

struct lstm_params {
    entry *entries;
    size_t size;
};

lstm_status lstm_params_create(lstm_params **out)
{
    if (!out)
        return lstm_fail_null("params", "out");
    *out = common_alloc(1, sizeof(**out));
    return *out ? LSTM_OK : lstm_fail_memory("params");
}

static void free_entries(entry *entries, size_t from, size_t size)
{
    for (size_t i = from; i < size; i++)
        common_free(entries[i].name);
    common_free(entries);
}

void lstm_params_destroy(lstm_params **params)
{
    if (!params || !*params)
        return;
    free_entries((*params)->entries, 0, (*params)->size);
    common_free(*params);
    *params = NULL;
}

/* "PREFIX.NAME", or "NAME" when the prefix is empty; NULL when there is no memory. */
static char *join(const char *prefix, const char *name)
{
    size_t length = strlen(prefix), size;
    if (!common_add(length, strlen(name) + 2, &size))
        return NULL;
    char *joined = common_alloc(size, 1);
    if (!joined)
        return NULL;
    memcpy(joined, prefix, length);
    if (length > 0)
        joined[length++] = '.';
    memcpy(joined + length, name, strlen(name) + 1);
    return joined;
}

static bool has_name(const entry *entries, size_t size, const char *name)
{
    for (size_t i = 0; i < size; i++)
        if (strcmp(entries[i].name, name) == 0)
            return true;
    return false;
}

/* Adds parameters to a copy of the entries, which takes their place when all is well.
 */
static lstm_status add(lstm_params *params, const char *prefix,
                       lstm_parameter *parameters, size_t count,
                       const lstm_layer *layer)
{
    size_t old = params->size, size = old;
    entry *entries = common_alloc(old + count, sizeof(*entries));
    if (!entries)
        return lstm_fail_memory("params");
    if (old > 0)
        memcpy(entries, params->entries, old * sizeof(*entries));
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        char *name = join(prefix, parameters[i].name);
        if (!name) {
            status = lstm_fail_memory("params");
            break;
        }
        if (has_name(entries, old, name))
            status = lstm_fail(LSTM_INVALID_ARGUMENT,
                               "params: name %s is in the set already", name);
        entries[size++] = (entry){name, &parameters[i], i ? NULL : layer};
    }
    if (status) {
        free_entries(entries, old, size);
        return status;
    }
    common_free(params->entries);
    params->entries = entries;
    params->size = size;
    return LSTM_OK;
}

static lstm_status check_adding(const lstm_params *params, const char *prefix,
                                const void *object, const char *name)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!prefix)
        return lstm_fail_null("params", "prefix");
    return object ? LSTM_OK : lstm_fail_null("params", name);
}

lstm_status lstm_params_add_layer(lstm_params *params, const char *prefix,
                                  lstm_layer *layer)
{
    lstm_status status = check_adding(params, prefix, layer, "layer");
    if (status)
        return status;
    size_t count;
    lstm_parameter *parameters = lstm_layer_parameters(layer, &count);
    return add(params, prefix, parameters, count, layer);
}

lstm_status lstm_params_add_linear(lstm_params *params, const char *prefix,
                                   lstm_linear *linear)
{
    lstm_status status = check_adding(params, prefix, linear, "linear");
    if (status)
        return status;
    size_t count;
    lstm_parameter *parameters = lstm_linear_parameters(linear, &count);
    return add(params, prefix, parameters, count, NULL);
}

size_t lstm_params_size(const lstm_params *params)
{
    return params ? params->size : 0;
}

size_t lstm_params_count(const lstm_params *params)
{
    size_t count = 0;
    for (size_t i = 0; i < lstm_params_size(params); i++)
        count += lstm_tensor_count(params->entries[i].parameter->value);
    return count;
}

const char *lstm_params_name(const lstm_params *params, size_t index)
{
    return index < lstm_params_size(params) ? params->entries[index].name : NULL;
}

lstm_parameter *lstm_params_parameter(const lstm_params *params, size_t index)
{
    return index < lstm_params_size(params) ? params->entries[index].parameter : NULL;
}

const lstm_layer *lstm_params_layer(const lstm_params *params, size_t index)
{
    return index < lstm_params_size(params) ? params->entries[index].layer : NULL;
}

lstm_tensor *lstm_params_value(const lstm_params *params, size_t index)
{
    const lstm_parameter *parameter = lstm_params_parameter(params, index);
    return parameter ? parameter->value : NULL;
}

lstm_tensor *lstm_params_grad(const lstm_params *params, size_t index)
{
    const lstm_parameter *parameter = lstm_params_parameter(params, index);
    return parameter ? parameter->grad : NULL;
}
