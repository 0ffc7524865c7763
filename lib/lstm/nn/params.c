/*
 * Parameter sets: creation and content. Functions over all gradients are in
 * params_gradient.c; params_values.c copies values and gradients.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/params.h>

/* A parameter that consists of tensors of the caller. */
typedef struct own_parameter {
    lstm_parameter parameter;
    uint64_t version;
} own_parameter;

typedef struct entry {
    char *name;
    lstm_parameter *parameter;
    /** The layer whose first parameter this is, or NULL. */
    const lstm_layer *layer;
    /** The parameter if it consists of tensors of the caller, else NULL. */
    own_parameter *own;
    bool frozen;
} entry;

struct lstm_params {
    entry *entries;
    size_t size;
};

/* Parameters to add: all of an object, or one of the caller. */
typedef struct addition {
    const char *prefix;
    lstm_parameter *parameters;
    size_t count;
    const lstm_layer *layer;
    own_parameter *own;
} addition;

lstm_status lstm_params_create(lstm_params **out)
{
    if (!out)
        return lstm_fail_null("params", "out");
    *out = common_alloc(1, sizeof(**out));
    return *out ? LSTM_OK : lstm_fail_memory("params");
}

static void free_names(entry *entries, size_t from, size_t size)
{
    for (size_t i = from; i < size; i++)
        common_free(entries[i].name);
}

void lstm_params_destroy(lstm_params **params)
{
    if (!params || !*params)
        return;
    free_names((*params)->entries, 0, (*params)->size);
    for (size_t i = 0; i < (*params)->size; i++)
        common_free((*params)->entries[i].own);
    common_free((*params)->entries);
    common_free(*params);
    *params = NULL;
}

/* "PREFIX.NAME", without the dot if one of them is empty; NULL if memory is exhausted.
 */
static char *join(const char *prefix, const char *name)
{
    size_t length = strlen(prefix), size;
    if (!common_add(length, strlen(name) + 2, &size))
        return NULL;
    char *joined = common_alloc(size, 1);
    if (!joined)
        return NULL;
    memcpy(joined, prefix, length);
    if (length > 0 && *name)
        joined[length++] = '.';
    memcpy(joined + length, name, strlen(name) + 1);
    return joined;
}

/* Whether two tensors overlap in memory. Both must be contiguous; each may be NULL. */
static bool overlap(const lstm_tensor *a, const lstm_tensor *b)
{
    if (!a || !b)
        return false;
    uintptr_t first = (uintptr_t)a->data, second = (uintptr_t)b->data;
    return first < second + lstm_tensor_count(b) * sizeof(float) &&
           second < first + lstm_tensor_count(a) * sizeof(float);
}

static bool share_memory(const lstm_parameter *a, const lstm_parameter *b)
{
    return overlap(a->value, b->value) || overlap(a->value, b->grad) ||
           overlap(a->grad, b->value) || overlap(a->grad, b->grad);
}

/* Checks that neither the name nor the memory of a parameter is in the set. */
static lstm_status check_new(const lstm_params *params, const char *name,
                             const lstm_parameter *parameter)
{
    for (size_t i = 0; i < params->size; i++) {
        const entry *e = &params->entries[i];
        if (strcmp(e->name, name) == 0)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "params: name %s is in the set already", name);
        if (share_memory(e->parameter, parameter))
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "params: memory of %s is in the set already, as %s", name,
                             e->name);
    }
    return LSTM_OK;
}

/* Appends the new entries to the old ones; *size counts them. */
static lstm_status append(const lstm_params *params, const addition *new,
                          entry *entries, size_t *size)
{
    for (size_t i = 0; i < new->count; i++) {
        lstm_parameter *parameter = &new->parameters[i];
        char *name = join(new->prefix, parameter->name);
        if (!name)
            return lstm_fail_memory("params");
        entries[(*size)++] = (entry){.name = name,
                                     .parameter = parameter,
                                     .layer = i ? NULL : new->layer,
                                     .own = new->own};
        lstm_status status = check_new(params, name, parameter);
        if (status)
            return status;
    }
    return LSTM_OK;
}

/* Adds parameters to a copy of the entries, which replaces them on success. */
static lstm_status add(lstm_params *params, const addition *new)
{
    size_t size = params->size;
    entry *entries = common_alloc(size + new->count, sizeof(*entries));
    if (!entries)
        return lstm_fail_memory("params");
    if (size > 0)
        memcpy(entries, params->entries, size * sizeof(*entries));
    lstm_status status = append(params, new, entries, &size);
    if (status) {
        free_names(entries, params->size, size);
        common_free(entries);
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
    addition new = {.prefix = prefix, .layer = layer};
    new.parameters = lstm_layer_parameters(layer, &new.count);
    return add(params, &new);
}

lstm_status lstm_params_add_linear(lstm_params *params, const char *prefix,
                                   lstm_linear *linear)
{
    lstm_status status = check_adding(params, prefix, linear, "linear");
    if (status)
        return status;
    addition new = {.prefix = prefix};
    new.parameters = lstm_linear_parameters(linear, &new.count);
    return add(params, &new);
}

lstm_status lstm_params_add_embedding(lstm_params *params, const char *prefix,
                                      lstm_embedding *embedding)
{
    lstm_status status = check_adding(params, prefix, embedding, "embedding");
    if (status)
        return status;
    addition new = {.prefix = prefix};
    new.parameters = lstm_embedding_parameters(embedding, &new.count);
    return add(params, &new);
}

static lstm_status check_contiguous(const lstm_tensor *tensor, const char *kind,
                                    const char *name)
{
    if (lstm_tensor_is_contiguous(tensor))
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT,
                     "params: %s of %s has strides, expected row-major without gaps",
                     kind, name);
}

static lstm_status check_tensors(const char *name, const lstm_tensor *value,
                                 const lstm_tensor *grad)
{
    if (!*name)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "params: name is empty");
    lstm_status status = check_contiguous(value, "value", name);
    if (status || !grad)
        return status;
    status = lstm_tensor_expect(grad, "params", "grad", value->rank, value->shape);
    if (!status)
        status = check_contiguous(grad, "grad", name);
    if (!status && overlap(value, grad))
        status = lstm_fail(LSTM_INVALID_ARGUMENT,
                           "params: value and grad of %s overlap in memory", name);
    return status;
}

lstm_status lstm_params_add_tensor(lstm_params *params, const char *name,
                                   lstm_tensor *value, lstm_tensor *grad)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!name)
        return lstm_fail_null("params", "name");
    if (!value)
        return lstm_fail_null("params", "value");
    lstm_status status = check_tensors(name, value, grad);
    if (status)
        return status;
    own_parameter *own = common_alloc(1, sizeof(*own));
    if (!own)
        return lstm_fail_memory("params");
    own->parameter =
        (lstm_parameter){.value = value, .grad = grad, .version = &own->version};
    status =
        add(params,
            &(addition){
                .prefix = name, .parameters = &own->parameter, .count = 1, .own = own});
    if (status)
        common_free(own);
    return status;
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

lstm_status lstm_params_set_trainable(lstm_params *params, size_t index, bool trainable)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (index >= params->size)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: index is %zu, expected below %zu", index,
                         params->size);
    entry *e = &params->entries[index];
    if (trainable && !e->parameter->grad)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: %s has no gradient and cannot be trainable", e->name);
    e->frozen = !trainable;
    return LSTM_OK;
}

bool lstm_params_trainable(const lstm_params *params, size_t index)
{
    return lstm_params_grad(params, index) && !params->entries[index].frozen;
}
