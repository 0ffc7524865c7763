/*
 * The Adam optimiser.
 *
 * Coefficients are computed in double and rounded to float32 once per step, as in
 * PyTorch. The moments of all parameters are in one allocation; the moments of each
 * parameter start at a cache line. Elements are independent, so any partition among
 * threads gives the same bits.
 */
#include <math.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/lstm/core/elementary.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/adam.h>

enum {
    /** Elements of a cache line. */
    LINE = COMMON_ALIGNMENT / sizeof(float),
    /** Elements per thread: about 10 us of work. */
    GRAIN = 16384
};

/** A parameter of the set, and its state in this optimiser. */
typedef struct slot {
    lstm_parameter *parameter;
    /** Position of its moments among all elements, a multiple of LINE, and their
     *  number, 0 for a parameter without gradient. */
    size_t start, count;
    /** Number of steps of this parameter. */
    uint64_t steps;
    lstm_adam_rates rates;
    /** Views of its moments. */
    lstm_adam_moments moments;
} slot;

struct lstm_adam {
    lstm_params *params;
    lstm_adam_config config;
    /** Number of successful lstm_adam_step() calls. */
    uint64_t steps;
    slot *slots;
    size_t size;
    /** Number of elements of all slots. */
    size_t count;
    /** First and second moments of all elements, and largest second moments so far,
     * NULL without amsgrad; in one allocation. */
    float *first, *second, *largest;
};

static lstm_status check_option(const char *name, double value, double low, double high)
{
    if (value >= low && value < high)
        return LSTM_OK;
    if (isinf(high))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "adam: %s is %g, expected at least %g and finite", name, value,
                         low);
    return lstm_fail(LSTM_INVALID_ARGUMENT, "adam: %s is %g, expected %g to below %g",
                     name, value, low, high);
}

/* Replaces zeros by defaults and checks the result. */
static lstm_status read_config(lstm_adam_config *config)
{
    if (config->lr == 0)
        config->lr = 1e-3;
    if (config->beta1 == 0)
        config->beta1 = 0.9;
    else if (config->beta1 < 0)
        config->beta1 = 0;
    if (config->beta2 == 0)
        config->beta2 = 0.999;
    else if (config->beta2 < 0)
        config->beta2 = 0;
    if (config->eps == 0)
        config->eps = 1e-8;
    lstm_status status = check_option("lr", config->lr, 0, INFINITY);
    if (!status)
        status = check_option("beta1", config->beta1, 0, 1);
    if (!status)
        status = check_option("beta2", config->beta2, 0, 1);
    if (!status)
        status = check_option("eps", config->eps, 0, INFINITY);
    if (!status)
        status = check_option("weight_decay", config->weight_decay, 0, INFINITY);
    return status;
}

/* Assigns elements to the parameters of the set. */
static lstm_status create_slots(lstm_adam *adam)
{
    adam->size = lstm_params_size(adam->params);
    adam->slots = common_alloc(adam->size, sizeof(*adam->slots));
    if (!adam->slots)
        return lstm_fail_memory("adam");
    for (size_t i = 0; i < adam->size; i++) {
        slot *s = &adam->slots[i];
        s->parameter = lstm_params_parameter(adam->params, i);
        s->start = adam->count;
        s->count = s->parameter->grad ? lstm_tensor_count(s->parameter->value) : 0;
        s->rates = (lstm_adam_rates){false, 1, adam->config.weight_decay};
        adam->count += (s->count + LINE - 1) / LINE * LINE;
    }
    return LSTM_OK;
}

/* Creates a view of the moments of a parameter, in the shape of the parameter. */
static lstm_status view(lstm_tensor **out, const slot *s, float *moments)
{
    const lstm_tensor *value = s->parameter->value;
    return lstm_tensor_wrap(out, moments + s->start, value->rank, value->shape, NULL);
}

static lstm_status create_views(const lstm_adam *adam, slot *s)
{
    if (s->count == 0)
        return LSTM_OK;
    lstm_status status = view(&s->moments.first, s, adam->first);
    if (!status)
        status = view(&s->moments.second, s, adam->second);
    if (!status && adam->largest)
        status = view(&s->moments.largest, s, adam->largest);
    return status;
}

static lstm_status create_moments(lstm_adam *adam)
{
    size_t arrays = adam->config.amsgrad ? 3 : 2;
    adam->first = common_alloc(adam->count, arrays * sizeof(float));
    if (!adam->first)
        return lstm_fail_memory("adam");
    adam->second = adam->first + adam->count;
    if (adam->config.amsgrad)
        adam->largest = adam->second + adam->count;
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < adam->size; i++)
        status = create_views(adam, &adam->slots[i]);
    return status;
}

lstm_status lstm_adam_create(lstm_adam **out, lstm_params *params,
                             const lstm_adam_config *config)
{
    if (!out)
        return lstm_fail_null("adam", "out");
    *out = NULL;
    if (!params)
        return lstm_fail_null("adam", "params");
    lstm_adam_config options = {0};
    if (config)
        options = *config;
    lstm_status status = lstm_check_reserved("adam", options.reserved);
    if (!status)
        status = read_config(&options);
    if (status)
        return status;
    lstm_adam *adam = common_alloc_bytes(sizeof(*adam));
    if (!adam)
        return lstm_fail_memory("adam");
    adam->params = params;
    adam->config = options;
    status = create_slots(adam);
    if (!status)
        status = create_moments(adam);
    if (status)
        lstm_adam_destroy(&adam);
    *out = adam;
    return status;
}

void lstm_adam_destroy(lstm_adam **adam)
{
    if (!adam || !*adam)
        return;
    for (size_t i = 0; (*adam)->slots && i < (*adam)->size; i++) {
        lstm_tensor_destroy(&(*adam)->slots[i].moments.first);
        lstm_tensor_destroy(&(*adam)->slots[i].moments.second);
        lstm_tensor_destroy(&(*adam)->slots[i].moments.largest);
    }
    common_free((*adam)->slots);
    common_free((*adam)->first);
    common_free(*adam);
    *adam = NULL;
}

/* Coefficients of the current step of a parameter, which s->steps includes already. */
static lstm_adam_coefficients coefficients_of(const lstm_adam *adam, const slot *s)
{
    const lstm_adam_config *config = &adam->config;
    double decay = s->rates.weight_decay;
    double lr = config->lr * s->rates.lr_factor;
    return (lstm_adam_coefficients){
        .one_minus_beta1 = (float)(1 - config->beta1),
        .beta2 = (float)config->beta2,
        .one_minus_beta2 = (float)(1 - config->beta2),
        .step_size = (float)(lr / (1 - lstm_power(config->beta1, s->steps))),
        .root_factor = (float)(1 / sqrt(1 - lstm_power(config->beta2, s->steps))),
        .eps = (float)config->eps,
        .decay = config->decoupled ? 0 : (float)decay,
        .shrink = config->decoupled ? (float)(1 - lr * decay) : 1,
        .sign = config->maximize ? -1 : 1,
    };
}

/* Updates the thread's elements of trainable parameters. */
static void step_elements(void *context, lstm_team *team, size_t thread, size_t threads)
{
    const lstm_adam *adam = context;
    (void)team;
    size_t start = lstm_range_start(adam->count, LINE, thread, threads);
    size_t end = lstm_range_start(adam->count, LINE, thread + 1, threads);
    for (size_t i = 0; i < adam->size; i++) {
        const slot *s = &adam->slots[i];
        size_t low = start > s->start ? start - s->start : 0;
        size_t high = end > s->start ? end - s->start : 0;
        high = common_smaller(high, s->count);
        if (low >= high || !lstm_params_trainable(adam->params, i))
            continue;
        size_t at = s->start + low;
        lstm_adam_coefficients coefficients = coefficients_of(adam, s);
        lstm_kernels_get()->adam_step(high - low, s->parameter->value->data + low,
                                      adam->first + at, adam->second + at,
                                      adam->largest ? adam->largest + at : NULL,
                                      s->parameter->grad->data + low, &coefficients);
    }
}

/* Counts a step of the optimiser and of all trainable parameters, whose values change.
 */
static void count_step(lstm_adam *adam)
{
    adam->steps++;
    for (size_t i = 0; i < adam->size; i++) {
        slot *s = &adam->slots[i];
        if (!lstm_params_trainable(adam->params, i))
            continue;
        s->steps++;
        ++*s->parameter->version;
    }
}

lstm_status lstm_adam_step(lstm_adam *adam)
{
    if (!adam)
        return lstm_fail_null("adam", "adam");
    if (lstm_params_size(adam->params) != adam->size)
        return lstm_fail(LSTM_INVALID_STATE,
                         "adam: the set has %zu parameters, expected the %zu it had at "
                         "creation",
                         lstm_params_size(adam->params), adam->size);
    if (adam->config.check_finite) {
        lstm_status status = lstm_params_check_finite(adam->params);
        if (status)
            return status;
    }
    count_step(adam);
    lstm_pool_run(step_elements, adam, adam->count / GRAIN + 1);
    return LSTM_OK;
}

lstm_status lstm_adam_set_lr(lstm_adam *adam, double lr)
{
    if (!adam)
        return lstm_fail_null("adam", "adam");
    lstm_status status = check_option("lr", lr, 0, INFINITY);
    if (!status)
        adam->config.lr = lr;
    return status;
}

double lstm_adam_lr(const lstm_adam *adam)
{
    return adam ? adam->config.lr : 0;
}

uint64_t lstm_adam_steps(const lstm_adam *adam)
{
    return adam ? adam->steps : 0;
}

lstm_status lstm_adam_set_parameter(lstm_adam *adam, size_t index, double lr_factor,
                                    double weight_decay)
{
    if (!adam)
        return lstm_fail_null("adam", "adam");
    if (index >= adam->size)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "adam: index is %zu, expected below %zu", index, adam->size);
    lstm_status status = check_option("lr_factor", lr_factor, 0, INFINITY);
    if (!status)
        status = check_option("weight_decay", weight_decay, 0, INFINITY);
    if (status)
        return status;
    adam->slots[index].rates = (lstm_adam_rates){true, lr_factor, weight_decay};
    return LSTM_OK;
}

const lstm_adam_rates *lstm_adam_get_rates(const lstm_adam *adam, size_t index)
{
    return &adam->slots[index].rates;
}

const lstm_adam_moments *lstm_adam_get_moments(const lstm_adam *adam, size_t index)
{
    return index < adam->size ? &adam->slots[index].moments : NULL;
}

bool lstm_adam_fits(const lstm_adam *adam, const lstm_params *params)
{
    return adam->params == params && adam->size == lstm_params_size(params);
}

void lstm_adam_set_steps(lstm_adam *adam, uint64_t steps)
{
    adam->steps = steps;
    for (size_t i = 0; i < adam->size; i++)
        adam->slots[i].steps = steps;
}

uint64_t lstm_adam_parameter_steps(const lstm_adam *adam, size_t index)
{
    return adam->slots[index].steps;
}

void lstm_adam_set_parameter_steps(lstm_adam *adam, size_t index, uint64_t steps)
{
    adam->slots[index].steps = steps;
}
