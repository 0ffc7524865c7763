/*
 * Cross-entropy of logits.
 *
 * For a row x of logits, with p = softmax(x) and a coefficient a_c for each class,
 *
 *     loss = -sum of a_c log p_c = sum of a_c (log(sum of exp(x - max)) + max - x_c)
 *     dloss/dx_c = A p_c - a_c,   A = sum of a_c
 *
 * computed in double, so that neither a large logit nor a small probability loses
 * digits. The coefficients are a_c = w_c ((1 - e) t_c + e / C) with class weights w,
 * label smoothing e, and target t: probabilities, or 1 for the target class and 0 for
 * the others. Both results use the same exponentials: forward keeps the gradient of
 * each row's loss, and backward only scales it.
 */
#include <math.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/elementary.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/cross_entropy.h>

struct lstm_cross_entropy {
    /** class_weights is a copy, or NULL. */
    lstm_cross_entropy_config config;
    float *weights;
    /** Gradient of each row's loss with respect to its logits, [rows, classes]. */
    float *gradient;
    /** Loss of each row. */
    float *losses;
    size_t rows, classes;
    /** Shape of the logits in the last forward; rank 0 before the first one. */
    size_t rank, shape[LSTM_MAX_RANK];
    /** Divisor of a mean. */
    double denominator;
    /** Capacity of gradient and of losses, in elements. */
    size_t capacity, row_capacity;
};

/** Targets of a forward: one of the two is NULL. */
typedef struct targets {
    const int64_t *classes;
    const lstm_tensor *probabilities;
} targets;

static lstm_status check_config(const lstm_cross_entropy_config *config)
{
    if (config->reduction > LSTM_REDUCTION_NONE)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "cross_entropy: reduction is %d, expected 0 to %d",
                         (int)config->reduction, LSTM_REDUCTION_NONE);
    if (!(config->label_smoothing >= 0 && config->label_smoothing <= 1))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "cross_entropy: label_smoothing is %g, expected 0 to 1",
                         config->label_smoothing);
    if (!config->ignore && config->ignore_index != 0)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "cross_entropy: ignore_index is %lld, expected 0 without "
                         "ignore",
                         (long long)config->ignore_index);
    if (!config->class_weights != (config->classes == 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "cross_entropy: classes is %zu, expected %s", config->classes,
                         config->class_weights ? "the number of class_weights"
                                               : "0 without class_weights");
    for (size_t c = 0; c < config->classes; c++)
        if (!(config->class_weights[c] >= 0 && isfinite(config->class_weights[c])))
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "cross_entropy: weight of class %zu is %g, expected at "
                             "least 0 and finite",
                             c, (double)config->class_weights[c]);
    return LSTM_OK;
}

lstm_status lstm_cross_entropy_create(lstm_cross_entropy **out,
                                      const lstm_cross_entropy_config *config)
{
    if (!out)
        return lstm_fail_null("cross_entropy", "out");
    *out = NULL;
    lstm_cross_entropy_config options = {.reduction = LSTM_REDUCTION_MEAN};
    if (config)
        options = *config;
    lstm_status status = lstm_check_reserved("cross_entropy", options.reserved);
    if (!status)
        status = check_config(&options);
    if (status)
        return status;
    lstm_cross_entropy *loss = common_alloc_bytes(sizeof(*loss));
    if (!loss)
        return lstm_fail_memory("cross_entropy");
    loss->config = options;
    if (options.classes > 0) {
        loss->weights = common_alloc(options.classes, sizeof(*loss->weights));
        if (!loss->weights) {
            lstm_cross_entropy_destroy(&loss);
            return lstm_fail_memory("cross_entropy");
        }
        memcpy(loss->weights, options.class_weights,
               options.classes * sizeof(*loss->weights));
    }
    *out = loss;
    return LSTM_OK;
}

void lstm_cross_entropy_destroy(lstm_cross_entropy **loss)
{
    if (!loss || !*loss)
        return;
    common_free((*loss)->weights);
    common_free((*loss)->gradient);
    common_free((*loss)->losses);
    common_free(*loss);
    *loss = NULL;
}

/* Ensures that there is memory for [rows, classes]; a failure changes nothing. */
static lstm_status reserve(lstm_cross_entropy *loss, size_t rows, size_t classes)
{
    if (rows * classes <= loss->capacity && rows <= loss->row_capacity)
        return LSTM_OK;
    float *gradient = common_alloc(rows * classes, sizeof(*gradient));
    float *losses = common_alloc(rows, sizeof(*losses));
    if (!gradient || !losses) {
        common_free(gradient);
        common_free(losses);
        return lstm_fail_memory("cross_entropy");
    }
    common_free(loss->gradient);
    common_free(loss->losses);
    loss->gradient = gradient;
    loss->losses = losses;
    loss->capacity = rows * classes;
    loss->row_capacity = rows;
    return LSTM_OK;
}

static lstm_status check_logits(const lstm_cross_entropy *loss,
                                const lstm_tensor *logits)
{
    char text[LSTM_SHAPE_TEXT];
    size_t classes = loss->config.classes;
    if (logits->rank != 2 && logits->rank != 3)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "cross_entropy: logits is %s, expected [N, C] or [N, T, C]",
                         lstm_shape_text(text, logits->rank, logits->shape));
    if (classes > 0 && logits->shape[logits->rank - 1] != classes)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "cross_entropy: logits is %s, expected %s%zu]",
                         lstm_shape_text(text, logits->rank, logits->shape),
                         logits->rank == 2 ? "[N, " : "[N, T, ", classes);
    return LSTM_OK;
}

static bool is_ignored(const lstm_cross_entropy *loss, const targets *given, size_t row)
{
    return given->classes && loss->config.ignore &&
           given->classes[row] == loss->config.ignore_index;
}

static lstm_status check_classes(const lstm_cross_entropy *loss, const targets *given,
                                 size_t rows, size_t classes)
{
    for (size_t row = 0; row < rows; row++) {
        int64_t target = given->classes[row];
        if (is_ignored(loss, given, row))
            continue;
        if (target < 0 || (uint64_t)target >= classes)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "cross_entropy: target of row %zu is %lld, expected 0 to "
                             "%zu",
                             row, (long long)target, classes - 1);
    }
    return LSTM_OK;
}

static double weight_of(const lstm_cross_entropy *loss, size_t class)
{
    return loss->weights ? (double)loss->weights[class] : 1;
}

/* Coefficient of a class in the loss of a row. */
static double coefficient(const lstm_cross_entropy *loss, const targets *given,
                          size_t row, size_t class)
{
    double target, smoothing = loss->config.label_smoothing;
    if (given->probabilities) {
        const lstm_tensor *t = given->probabilities;
        target = (double)t->data[lstm_tensor_offset(t, t->rank - 1, row) +
                                 (ptrdiff_t) class * t->strides[t->rank - 1]];
    } else {
        target = given->classes[row] == (int64_t) class;
    }
    target = (1 - smoothing) * target + smoothing / (double)loss->classes;
    return weight_of(loss, class) * target;
}

/* Writes the gradient of a row's loss with respect to its logits x, and returns the
 * loss. */
static double row_loss(lstm_cross_entropy *loss, const targets *given, size_t row,
                       const float *x, ptrdiff_t stride)
{
    size_t classes = loss->classes;
    float *gradient = loss->gradient + row * classes;
    double largest = (double)x[0], sum = 0, all = 0, result = 0;
    for (size_t c = 1; c < classes; c++)
        if ((double)x[(ptrdiff_t)c * stride] > largest)
            largest = (double)x[(ptrdiff_t)c * stride];
    for (size_t c = 0; c < classes; c++) {
        double exponential = lstm_exp((double)x[(ptrdiff_t)c * stride] - largest);
        gradient[c] = (float)exponential;
        sum += exponential;
    }
    double scale = lstm_log(sum);
    for (size_t c = 0; c < classes; c++) {
        double a = coefficient(loss, given, row, c);
        /* A class with coefficient 0 may have a logit of -infinity. Large logits would
         * absorb the logarithm; their difference is subtracted first. */
        if (a != 0)
            result += a * (scale + (largest - (double)x[(ptrdiff_t)c * stride]));
        all += a;
    }
    for (size_t c = 0; c < classes; c++)
        gradient[c] = (float)(all * ((double)gradient[c] / sum) -
                              coefficient(loss, given, row, c));
    return result;
}

/* A mean over weights that sum to 0 is NaN, and so are the gradients of the rows that
 * count, as in PyTorch; or all are 0 on request. */
static void divide_by_zero(lstm_cross_entropy *loss, const targets *given)
{
    float result = loss->config.zero_mean_of_none ? 0 : NAN;
    for (size_t row = 0; row < loss->rows; row++)
        for (size_t c = 0; c < loss->classes && !is_ignored(loss, given, row); c++)
            loss->gradient[row * loss->classes + c] = result;
}

static void compute(lstm_cross_entropy *loss, const lstm_tensor *logits,
                    const targets *given)
{
    size_t axes = logits->rank - 1;
    loss->rank = logits->rank;
    memcpy(loss->shape, logits->shape, sizeof(loss->shape));
    loss->classes = logits->shape[axes];
    loss->rows = lstm_tensor_count(logits) / loss->classes;
    loss->denominator = 0;
    for (size_t row = 0; row < loss->rows; row++) {
        if (is_ignored(loss, given, row)) {
            memset(loss->gradient + row * loss->classes, 0,
                   loss->classes * sizeof(*loss->gradient));
            loss->losses[row] = 0;
            continue;
        }
        loss->losses[row] = (float)row_loss(
            loss, given, row, logits->data + lstm_tensor_offset(logits, axes, row),
            logits->strides[axes]);
        loss->denominator +=
            given->classes ? weight_of(loss, (size_t)given->classes[row]) : 1;
    }
    if (loss->config.reduction == LSTM_REDUCTION_MEAN && loss->denominator == 0)
        divide_by_zero(loss, given);
}

static void write_value(const lstm_cross_entropy *loss, float *value)
{
    double sum = 0;
    for (size_t row = 0; row < loss->rows; row++) {
        sum += (double)loss->losses[row];
        if (loss->config.reduction == LSTM_REDUCTION_NONE)
            value[row] = loss->losses[row];
    }
    if (loss->config.reduction == LSTM_REDUCTION_SUM)
        *value = (float)sum;
    if (loss->config.reduction == LSTM_REDUCTION_MEAN)
        *value = loss->denominator != 0           ? (float)(sum / loss->denominator)
                 : loss->config.zero_mean_of_none ? 0
                                                  : NAN;
}

static lstm_status forward(lstm_cross_entropy *loss, const lstm_tensor *logits,
                           const targets *given, float *value)
{
    if (!value)
        return lstm_fail_null("cross_entropy", "value");
    lstm_status status = check_logits(loss, logits);
    if (status)
        return status;
    size_t classes = logits->shape[logits->rank - 1];
    size_t rows = lstm_tensor_count(logits) / classes;
    if (given->classes)
        status = check_classes(loss, given, rows, classes);
    else
        status = lstm_tensor_expect(given->probabilities, "cross_entropy", "targets",
                                    logits->rank, logits->shape);
    if (!status)
        status = reserve(loss, rows, classes);
    if (status)
        return status;
    compute(loss, logits, given);
    write_value(loss, value);
    return LSTM_OK;
}

static lstm_status check_pointers(const lstm_cross_entropy *loss,
                                  const lstm_tensor *logits, const void *given)
{
    if (!loss)
        return lstm_fail_null("cross_entropy", "loss");
    if (!logits)
        return lstm_fail_null("cross_entropy", "logits");
    return given ? LSTM_OK : lstm_fail_null("cross_entropy", "targets");
}

lstm_status lstm_cross_entropy_forward(lstm_cross_entropy *loss,
                                       const lstm_tensor *logits,
                                       const int64_t *classes, float *value)
{
    lstm_status status = check_pointers(loss, logits, classes);
    return status ? status
                  : forward(loss, logits, &(targets){.classes = classes}, value);
}

lstm_status lstm_cross_entropy_forward_probabilities(lstm_cross_entropy *loss,
                                                     const lstm_tensor *logits,
                                                     const lstm_tensor *probabilities,
                                                     float *value)
{
    lstm_status status = check_pointers(loss, logits, probabilities);
    return status ? status
                  : forward(loss, logits, &(targets){.probabilities = probabilities},
                            value);
}

/* Writes the gradient of a row; factor is the gradient of its loss. */
static void backward_row(const lstm_cross_entropy *loss, size_t row, float factor,
                         lstm_tensor *dlogits)
{
    size_t axes = dlogits->rank - 1;
    const float *from = loss->gradient + row * loss->classes;
    float *to = dlogits->data + lstm_tensor_offset(dlogits, axes, row);
    if (loss->config.reduction == LSTM_REDUCTION_MEAN && loss->denominator != 0)
        factor /= (float)loss->denominator;
    for (size_t c = 0; c < loss->classes; c++)
        to[(ptrdiff_t)c * dlogits->strides[axes]] = from[c] * factor;
}

lstm_status lstm_cross_entropy_backward(lstm_cross_entropy *loss, const float *dvalue,
                                        lstm_tensor *dlogits)
{
    if (!loss)
        return lstm_fail_null("cross_entropy", "loss");
    if (!dlogits)
        return lstm_fail_null("cross_entropy", "dlogits");
    if (!loss->rank)
        return lstm_fail(LSTM_INVALID_STATE,
                         "cross_entropy: backward without a forward");
    lstm_status status = lstm_tensor_expect(dlogits, "cross_entropy", "dlogits",
                                            loss->rank, loss->shape);
    if (status)
        return status;
    bool each = loss->config.reduction == LSTM_REDUCTION_NONE;
    for (size_t row = 0; row < loss->rows; row++)
        backward_row(loss, row, dvalue ? dvalue[each ? row : 0] : 1, dlogits);
    return LSTM_OK;
}
