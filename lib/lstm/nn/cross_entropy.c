/*
 * Cross-entropy of class scores.
 *
 * For a row x of scores, with p = softmax(x) and the target class y,
 *
 *     loss = -log p_y = log(sum of exp(x_c - max)) + max - x_y
 *     dloss/dx_c = p_c - [c = y]
 *
 * in double, so that neither a large score nor a small probability loses digits. Both
 * come from the same exponentials: forward keeps the gradient of each row's loss, and
 * backward only scales it.
 */
#include <math.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/cross_entropy.h>

struct lstm_cross_entropy {
    lstm_cross_entropy_config config;
    /** Gradient of each row's loss for its logits, [rows, classes]; rows is 0 before
     *  the first forward. */
    float *gradient;
    /** Loss of each row. */
    float *losses;
    size_t rows, classes;
    /** Elements of gradient and of losses that there is room for. */
    size_t capacity, row_capacity;
};

lstm_status lstm_cross_entropy_create(lstm_cross_entropy **out,
                                      const lstm_cross_entropy_config *config)
{
    if (!out)
        return lstm_fail_null("cross_entropy", "out");
    *out = NULL;
    lstm_cross_entropy_config options = {LSTM_REDUCTION_MEAN};
    if (config)
        options = *config;
    if (options.reduction > LSTM_REDUCTION_NONE)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "cross_entropy: reduction is %d, expected 0 to %d",
                         (int)options.reduction, LSTM_REDUCTION_NONE);
    *out = common_alloc(1, sizeof(**out));
    if (!*out)
        return lstm_fail_memory("cross_entropy");
    (*out)->config = options;
    return LSTM_OK;
}

void lstm_cross_entropy_destroy(lstm_cross_entropy **loss)
{
    if (!loss || !*loss)
        return;
    common_free((*loss)->gradient);
    common_free((*loss)->losses);
    common_free(*loss);
    *loss = NULL;
}

/* Makes room for [rows, classes]; on failure everything is as it was. */
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

static lstm_status check_targets(const int64_t *targets, size_t rows, size_t classes)
{
    for (size_t row = 0; row < rows; row++)
        if (targets[row] < 0 || (uint64_t)targets[row] >= classes)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "cross_entropy: target of row %zu is %lld, expected 0 to "
                             "%zu",
                             row, (long long)targets[row], classes - 1);
    return LSTM_OK;
}

/* Turns a row of logits into the gradient of its loss, and returns the loss. */
static double row_loss(float *row, size_t classes, size_t target)
{
    double score = (double)row[target], largest = (double)row[0], sum = 0;
    for (size_t c = 1; c < classes; c++)
        if ((double)row[c] > largest)
            largest = (double)row[c];
    for (size_t c = 0; c < classes; c++) {
        double exponential = exp((double)row[c] - largest);
        row[c] = (float)exponential;
        sum += exponential;
    }
    for (size_t c = 0; c < classes; c++)
        row[c] = (float)((double)row[c] / sum - (c == target));
    return log(sum) + largest - score;
}

static void write_value(const lstm_cross_entropy *loss, float *value)
{
    if (loss->config.reduction == LSTM_REDUCTION_NONE) {
        for (size_t row = 0; row < loss->rows; row++)
            value[row] = loss->losses[row];
        return;
    }
    double sum = 0;
    for (size_t row = 0; row < loss->rows; row++)
        sum += (double)loss->losses[row];
    bool mean = loss->config.reduction == LSTM_REDUCTION_MEAN;
    *value = (float)(mean ? sum / (double)loss->rows : sum);
}

lstm_status lstm_cross_entropy_forward(lstm_cross_entropy *loss,
                                       const lstm_tensor *logits,
                                       const int64_t *targets, float *value)
{
    if (!loss)
        return lstm_fail_null("cross_entropy", "loss");
    if (!logits)
        return lstm_fail_null("cross_entropy", "logits");
    if (!targets)
        return lstm_fail_null("cross_entropy", "targets");
    if (!value)
        return lstm_fail_null("cross_entropy", "value");
    char text[LSTM_SHAPE_TEXT];
    if (logits->rank != 2)
        return lstm_fail(LSTM_SHAPE_MISMATCH,
                         "cross_entropy: logits is %s, expected [N, C]",
                         lstm_shape_text(text, logits->rank, logits->shape));
    size_t rows = logits->shape[0], classes = logits->shape[1];
    lstm_status status = check_targets(targets, rows, classes);
    if (!status)
        status = reserve(loss, rows, classes);
    if (status)
        return status;
    loss->rows = rows;
    loss->classes = classes;
    lstm_tensor_gather(loss->gradient, logits);
    for (size_t row = 0; row < rows; row++)
        loss->losses[row] = (float)row_loss(loss->gradient + row * classes, classes,
                                            (size_t)targets[row]);
    write_value(loss, value);
    return LSTM_OK;
}

lstm_status lstm_cross_entropy_backward(lstm_cross_entropy *loss, const float *dvalue,
                                        lstm_tensor *dlogits)
{
    if (!loss)
        return lstm_fail_null("cross_entropy", "loss");
    if (!dlogits)
        return lstm_fail_null("cross_entropy", "dlogits");
    if (!loss->rows)
        return lstm_fail(LSTM_INVALID_STATE, "cross_entropy: backward without a "
                                             "forward");
    lstm_status status = lstm_tensor_expect(dlogits, "cross_entropy", "dlogits", 2,
                                            (size_t[]){loss->rows, loss->classes});
    if (status)
        return status;
    bool each = loss->config.reduction == LSTM_REDUCTION_NONE;
    bool mean = loss->config.reduction == LSTM_REDUCTION_MEAN;
    ptrdiff_t row_stride = dlogits->strides[0], stride = dlogits->strides[1];
    for (size_t row = 0; row < loss->rows; row++) {
        float factor = dvalue ? dvalue[each ? row : 0] : 1;
        if (mean)
            factor /= (float)loss->rows;
        const float *from = loss->gradient + row * loss->classes;
        float *to = dlogits->data + (ptrdiff_t)row * row_stride;
        for (size_t c = 0; c < loss->classes; c++)
            to[(ptrdiff_t)c * stride] = from[c] * factor;
    }
    return LSTM_OK;
}
