/*
 * Element-wise losses: mean squared error, and binary cross-entropy of logits.
 *
 * Each loss is a function of an element x, its target t and a weight p, and its
 * derivative with respect to x. The elements are processed in row-major order, row by
 * row of the last axis, and summed in double.
 */
#include <math.h>

#include "lib/lstm/core/elementary.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/loss.h>

/* The loss of an element, or its derivative. */
typedef double element(double x, double t, double p);

/* The arguments of a call. */
typedef struct loss_call {
    const char *object;
    const lstm_tensor *input, *target;
    lstm_loss_options options;
} loss_call;

static double squared_error(double x, double t, double p)
{
    (void)p;
    return (x - t) * (x - t);
}

static double squared_error_derivative(double x, double t, double p)
{
    (void)p;
    return 2 * (x - t);
}

/* log(1 + e) for 0 <= e <= 1: the quotient corrects the rounding of 1 + e. */
static double log_1_plus(double e)
{
    double sum = 1 + e;
    return sum == 1 ? e : lstm_log(sum) * (e / (sum - 1));
}

/* A product that is 0 for a factor of 0, even if the value is infinite. */
static double times(double factor, double value)
{
    return factor == 0 && !isnan(value) ? 0 : factor * value;
}

/* Uses log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) for x and -x. */
static double binary(double x, double t, double p)
{
    double rest = log_1_plus(lstm_exp(-fabs(x)));
    return times(1 - t, (x > 0 ? x : 0) + rest) + times(p * t, (x < 0 ? -x : 0) + rest);
}

/* Uses the sigmoids of x and -x. */
static double binary_derivative(double x, double t, double p)
{
    double e = lstm_exp(-fabs(x)), sum = 1 + e;
    double positive = (x < 0 ? e : 1) / sum, negative = (x < 0 ? 1 : e) / sum;
    return (1 - t) * positive - p * t * negative;
}

static lstm_status check_options(const loss_call *call, bool weighted)
{
    const lstm_loss_options *options = &call->options;
    lstm_status status = lstm_check_reserved(call->object, options->reserved);
    if (status)
        return status;
    if (options->reduction > LSTM_REDUCTION_NONE)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "%s: reduction is %d, expected 0 to %d",
                         call->object, (int)options->reduction, LSTM_REDUCTION_NONE);
    if (!weighted && (options->pos_weight || options->classes))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "%s: pos_weight and classes are set, expected NULL and 0",
                         call->object);
    if (!options->pos_weight != (options->classes == 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "%s: classes is %zu, expected %s",
                         call->object, options->classes,
                         options->pos_weight ? "the number of values of pos_weight"
                                             : "0 without pos_weight");
    return LSTM_OK;
}

/* A mask has the shape of input, with or without the last axis. */
static lstm_status check_mask(const loss_call *call)
{
    const lstm_tensor *input = call->input, *mask = call->options.mask;
    size_t rank = input->rank;
    char found[LSTM_SHAPE_TEXT], whole[LSTM_SHAPE_TEXT], rows[LSTM_SHAPE_TEXT];
    if (lstm_tensor_has_shape(mask, rank, input->shape) ||
        lstm_tensor_has_shape(mask, rank - 1, input->shape))
        return LSTM_OK;
    return lstm_fail(LSTM_SHAPE_MISMATCH, "%s: mask is %s, expected %s%s%s",
                     call->object, lstm_shape_text(found, mask->rank, mask->shape),
                     lstm_shape_text(whole, rank, input->shape), rank > 1 ? " or " : "",
                     rank > 1 ? lstm_shape_text(rows, rank - 1, input->shape) : "");
}

static lstm_status check_shapes(const loss_call *call)
{
    const lstm_tensor *input = call->input, *mask = call->options.mask;
    size_t classes = call->options.classes, last = input->shape[input->rank - 1];
    if (classes > 0 && classes != last)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "%s: classes is %zu, expected %zu, the last axis of input",
                         call->object, classes, last);
    lstm_status status = lstm_tensor_expect(call->target, call->object, "target",
                                            input->rank, input->shape);
    return status || !mask ? status : check_mask(call);
}

static lstm_status check_call(const loss_call *call, bool weighted)
{
    if (!call->input)
        return lstm_fail_null(call->object, "input");
    if (!call->target)
        return lstm_fail_null(call->object, "target");
    lstm_status status = check_options(call, weighted);
    return status ? status : check_shapes(call);
}

static size_t width_of(const loss_call *call)
{
    return call->input->shape[call->input->rank - 1];
}

/* A row of the last axis: elements of input, of target, and of mask. mask is NULL
 * without a mask; for a mask without the last axis its stride is 0. */
typedef struct row {
    const float *x, *t, *mask;
    ptrdiff_t x_stride, t_stride, mask_stride;
} row;

static const float *row_data(const lstm_tensor *tensor, size_t axes, size_t index)
{
    return tensor->data + lstm_tensor_offset(tensor, axes, index);
}

static row row_of(const loss_call *call, size_t index)
{
    size_t axes = call->input->rank - 1;
    row r = {
        .x = row_data(call->input, axes, index),
        .t = row_data(call->target, axes, index),
        .x_stride = call->input->strides[axes],
        .t_stride = call->target->strides[axes],
    };
    const lstm_tensor *mask = call->options.mask;
    if (mask) {
        r.mask = row_data(mask, axes, index);
        r.mask_stride = mask->rank > axes ? mask->strides[axes] : 0;
    }
    return r;
}

static bool counts(const row *r, size_t i)
{
    return !r->mask || r->mask[(ptrdiff_t)i * r->mask_stride] != 0;
}

static double evaluate(const loss_call *call, element *function, const row *r, size_t i)
{
    const float *weight = call->options.pos_weight;
    return function((double)r->x[(ptrdiff_t)i * r->x_stride],
                    (double)r->t[(ptrdiff_t)i * r->t_stride],
                    weight ? (double)weight[i] : 1);
}

/* Number of elements that count. */
static size_t count_elements(const loss_call *call)
{
    size_t width = width_of(call), rows = lstm_tensor_count(call->input) / width;
    size_t count = 0;
    for (size_t index = 0; index < rows; index++) {
        row r = row_of(call, index);
        for (size_t i = 0; i < width; i++)
            count += counts(&r, i);
    }
    return count;
}

/* Returns the sum of the losses. Without a reduction it also writes the losses. */
static double sum_losses(const loss_call *call, element *function, float *value)
{
    size_t width = width_of(call), rows = lstm_tensor_count(call->input) / width;
    double sum = 0;
    for (size_t index = 0; index < rows; index++) {
        row r = row_of(call, index);
        for (size_t i = 0; i < width; i++) {
            double loss = counts(&r, i) ? evaluate(call, function, &r, i) : 0;
            if (call->options.reduction == LSTM_REDUCTION_NONE)
                value[index * width + i] = (float)loss;
            sum += loss;
        }
    }
    return sum;
}

static lstm_status forward(const loss_call *call, element *function, float *value)
{
    if (!value)
        return lstm_fail_null(call->object, "value");
    double sum = sum_losses(call, function, value);
    if (call->options.reduction == LSTM_REDUCTION_SUM)
        *value = (float)sum;
    if (call->options.reduction == LSTM_REDUCTION_MEAN) {
        size_t count = count_elements(call);
        *value = count > 0 ? (float)(sum / (double)count) : NAN;
    }
    return LSTM_OK;
}

/* Writes the gradients of a row. */
static void backward_row(const loss_call *call, element *derivative, size_t index,
                         const float *dvalue, double divisor, lstm_tensor *dinput)
{
    size_t width = width_of(call), axes = dinput->rank - 1;
    bool each = call->options.reduction == LSTM_REDUCTION_NONE;
    float *to = dinput->data + lstm_tensor_offset(dinput, axes, index);
    row r = row_of(call, index);
    for (size_t i = 0; i < width; i++) {
        double factor = dvalue ? (double)dvalue[each ? index * width + i : 0] : 1;
        double gradient = 0;
        if (counts(&r, i))
            gradient = evaluate(call, derivative, &r, i) * factor / divisor;
        to[(ptrdiff_t)i * dinput->strides[axes]] = (float)gradient;
    }
}

static lstm_status backward(const loss_call *call, element *derivative,
                            const float *dvalue, lstm_tensor *dinput)
{
    if (!dinput)
        return lstm_fail_null(call->object, "dinput");
    lstm_status status = lstm_tensor_expect(dinput, call->object, "dinput",
                                            call->input->rank, call->input->shape);
    if (status)
        return status;
    size_t rows = lstm_tensor_count(call->input) / width_of(call);
    bool mean = call->options.reduction == LSTM_REDUCTION_MEAN;
    double divisor = mean ? (double)count_elements(call) : 1;
    for (size_t index = 0; index < rows; index++)
        backward_row(call, derivative, index, dvalue, divisor, dinput);
    return LSTM_OK;
}

static loss_call call_of(const char *object, const lstm_tensor *input,
                         const lstm_tensor *target, const lstm_loss_options *options)
{
    loss_call call = {object, input, target, {.reduction = LSTM_REDUCTION_MEAN}};
    if (options)
        call.options = *options;
    return call;
}

lstm_status lstm_mse_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value)
{
    loss_call call = call_of("mse", input, target, options);
    lstm_status status = check_call(&call, false);
    return status ? status : forward(&call, squared_error, value);
}

lstm_status lstm_mse_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput)
{
    loss_call call = call_of("mse", input, target, options);
    lstm_status status = check_call(&call, false);
    return status ? status : backward(&call, squared_error_derivative, dvalue, dinput);
}

lstm_status lstm_bce_forward(const lstm_tensor *input, const lstm_tensor *target,
                             const lstm_loss_options *options, float *value)
{
    loss_call call = call_of("bce", input, target, options);
    lstm_status status = check_call(&call, true);
    return status ? status : forward(&call, binary, value);
}

lstm_status lstm_bce_backward(const lstm_tensor *input, const lstm_tensor *target,
                              const lstm_loss_options *options, const float *dvalue,
                              lstm_tensor *dinput)
{
    loss_call call = call_of("bce", input, target, options);
    lstm_status status = check_call(&call, true);
    return status ? status : backward(&call, binary_derivative, dvalue, dinput);
}
