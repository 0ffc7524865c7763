/*
 * Parameter sets: creation and content. Functions over all gradients are in
 * params_gradient.c; params_values.c copies values and gradients.
 */
#include <string.h>

#include "lib/common/hash.h"
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

/* Memory of an entry: its values, or its gradients. */
typedef struct range {
    uintptr_t first, end;
    size_t entry;
} range;

/* Names are found by hashing, memory by bisection: a set may have many entries. */
struct lstm_params {
    entry *entries;
    size_t size, capacity;
    /** [range_count], ordered; no two overlap. */
    range *ranges;
    size_t range_count;
    /** [slot_count], a power of two: 1 + number of an entry, 0 for none. */
    size_t *slots, slot_count;
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
    *out = common_alloc_bytes(sizeof(**out));
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
    common_free((*params)->ranges);
    common_free((*params)->slots);
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
    char *joined = common_alloc_bytes(size);
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

/* The slot of a name, or the empty one where it belongs. */
static size_t *find_slot(const lstm_params *params, const char *name)
{
    uint64_t hash = common_hash(COMMON_HASH_START, name, strlen(name));
    size_t mask = params->slot_count - 1, at = (size_t)(hash ^ hash >> 32) & mask;
    while (params->slots[at] &&
           strcmp(params->entries[params->slots[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return &params->slots[at];
}

/* Fills the slots with all entries. */
static void fill_slots(lstm_params *params)
{
    memset(params->slots, 0, params->slot_count * sizeof(*params->slots));
    for (size_t i = 0; i < params->size; i++)
        *find_slot(params, params->entries[i].name) = i + 1;
}

/* Index of the first range that ends behind an address. */
static size_t find_range(const lstm_params *params, uintptr_t first)
{
    size_t low = 0, high = params->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (params->ranges[middle].end > first)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Adds the memory of a tensor, which may be NULL, to an entry. */
static lstm_status add_range(lstm_params *params, const lstm_tensor *tensor,
                             size_t number)
{
    if (!tensor)
        return LSTM_OK;
    range new = {.first = (uintptr_t)tensor->data, .entry = number};
    new.end = new.first + lstm_tensor_count(tensor) * sizeof(float);
    size_t at = find_range(params, new.first);
    range *place = &params->ranges[at];
    if (at < params->range_count && place->first < new.end)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT, "params: memory of %s is in the set already, as %s",
            params->entries[number].name, params->entries[place->entry].name);
    memmove(place + 1, place, (params->range_count++ - at) * sizeof(*place));
    *place = new;
    return LSTM_OK;
}

/* Makes room for more entries; after a failure the set is as before. */
static lstm_status reserve(lstm_params *params, size_t count)
{
    size_t capacity = params->capacity ? params->capacity : 8;
    while (capacity < params->size + count)
        capacity *= 2;
    if (capacity == params->capacity)
        return LSTM_OK;
    size_t slots = 2 * capacity;
    lstm_params larger = *params;
    larger.entries = common_alloc(capacity, sizeof(entry));
    larger.ranges = common_alloc(capacity, 2 * sizeof(range));
    larger.slots = common_alloc(slots, sizeof(size_t));
    if (!larger.entries || !larger.ranges || !larger.slots) {
        common_free(larger.entries);
        common_free(larger.ranges);
        common_free(larger.slots);
        return lstm_fail_memory("params");
    }
    if (params->size > 0) {
        memcpy(larger.entries, params->entries, params->size * sizeof(entry));
        memcpy(larger.ranges, params->ranges, params->range_count * sizeof(range));
    }
    common_free(params->entries);
    common_free(params->ranges);
    common_free(params->slots);
    larger.capacity = capacity;
    larger.slot_count = slots;
    *params = larger;
    fill_slots(params);
    return LSTM_OK;
}

/* Appends a parameter, for which there is room. */
static lstm_status append(lstm_params *params, const addition *new, size_t index)
{
    lstm_parameter *parameter = &new->parameters[index];
    char *name = join(new->prefix, parameter->name);
    if (!name)
        return lstm_fail_memory("params");
    size_t *slot = find_slot(params, name), number = params->size;
    if (*slot) {
        lstm_status status = lstm_fail(LSTM_INVALID_ARGUMENT,
                                       "params: name %s is in the set already", name);
        common_free(name);
        return status;
    }
    params->entries[params->size++] = (entry){.name = name,
                                              .parameter = parameter,
                                              .layer = index ? NULL : new->layer,
                                              .own = new->own};
    *slot = params->size;
    lstm_status status = add_range(params, parameter->value, number);
    return status ? status : add_range(params, parameter->grad, number);
}

/* Removes the entries from size on. */
static void cut(lstm_params *params, size_t size)
{
    size_t kept = 0;
    free_names(params->entries, size, params->size);
    params->size = size;
    for (size_t i = 0; i < params->range_count; i++)
        if (params->ranges[i].entry < size)
            params->ranges[kept++] = params->ranges[i];
    params->range_count = kept;
    fill_slots(params);
}

static lstm_status add(lstm_params *params, const addition *new)
{
    size_t size = params->size;
    lstm_status status = reserve(params, new->count);
    if (status)
        return status;
    for (size_t i = 0; !status && i < new->count; i++)
        status = append(params, new, i);
    if (status)
        cut(params, size);
    return status;
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
    own_parameter *own = common_alloc_bytes(sizeof(*own));
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
