/*
 * Named sets of parameters.
 *
 * Values and gradients are walked in blocks of BLOCK elements that never cross the end
 * of a parameter. What is summed over them is summed per block, then block by block,
 * which is the same chain for any number of threads.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/kernels.h"
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

lstm_status lstm_params_zero_grad(lstm_params *params)
{
    if (!params)
        return lstm_fail_null("params", "params");
    for (size_t i = 0; i < params->size; i++)
        lstm_tensor_fill(lstm_params_grad(params, i), 0);
    return LSTM_OK;
}

static double sum_squares(const lstm_tensor *tensor)
{
    enum { BLOCK = 4096 };
    assert(lstm_tensor_is_contiguous(tensor));
    size_t count = lstm_tensor_count(tensor);
    double sum = 0;
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t size = count - i < BLOCK ? count - i : BLOCK;
        sum += lstm_kernels_get()->sum_squares(size, tensor->data + i);
    }
    return sum;
}

lstm_status lstm_params_check_finite(const lstm_params *params)
{
    for (size_t i = 0; i < params->size; i++) {
        const lstm_tensor *grad = lstm_params_grad(params, i);
        /* The sum is finite when all elements are, and is made of whole vectors. */
        if (isfinite(sum_squares(grad)))
            continue;
        for (size_t j = 0; j < lstm_tensor_count(grad); j++)
            if (!isfinite(grad->data[j]))
                return lstm_fail(LSTM_NOT_FINITE,
                                 "params: gradient of %s is %g at element %zu, "
                                 "expected finite",
                                 params->entries[i].name, (double)grad->data[j], j);
    }
    return LSTM_OK;
}

lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm)
{
    /* torch.nn.utils.clip_grad_norm_() adds this to the norm. */
    const double guard = 1e-6;
    if (!params)
        return lstm_fail_null("params", "params");
    if (!(max_norm > 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: max_norm is %g, expected above 0", max_norm);
    double sum = 0;
    for (size_t i = 0; i < params->size; i++)
        sum += sum_squares(lstm_params_grad(params, i));
    /* No sum of squares of floats reaches the end of double: it is finite when all of
     * them are. */
    double total = sqrt(sum);
    if (norm)
        *norm = total;
    if (!isfinite(total))
        return lstm_params_check_finite(params);
    float factor = (float)(max_norm / (total + guard));
    if (!(factor < 1))
        return LSTM_OK;
    for (size_t i = 0; i < params->size; i++) {
        lstm_tensor *grad = lstm_params_grad(params, i);
        lstm_kernels_get()->scale(lstm_tensor_count(grad), grad->data, factor);
    }
    return LSTM_OK;
}

lstm_status lstm_params_clip_value(lstm_params *params, double limit)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!(limit >= 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: limit is %g, expected at least 0", limit);
    float high = (float)limit;
    for (size_t i = 0; i < params->size; i++) {
        lstm_tensor *grad = lstm_params_grad(params, i);
        size_t count = lstm_tensor_count(grad);
        /* A NaN is neither above nor below, and stays. */
        for (size_t j = 0; j < count; j++) {
            float value = grad->data[j];
            value = value > high ? high : value;
            grad->data[j] = value < -high ? -high : value;
        }
    }
    return LSTM_OK;
}
