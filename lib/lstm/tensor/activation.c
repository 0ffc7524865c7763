/*
 * Softmax and sigmoid of tensors.
 *
 * Rows of the last axis are copied in chunks to an array without gaps, on which the
 * kernels compute. A softmax first subtracts the largest element of the row, and sums
 * in double, in order. All sets of kernels with a fused multiply-add give the same
 * bits.
 */
#include <math.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/tensor/tensor.h"

/* Number of elements on the stack: 1 KiB. */
enum { CHUNK = 256 };

/* A row of the last axis. */
typedef struct row {
    float *data;
    ptrdiff_t stride;
    size_t count;
} row;

static row row_of(const lstm_tensor *tensor, size_t index)
{
    size_t axes = tensor->rank - 1;
    return (row){tensor->data + lstm_tensor_offset(tensor, axes, index),
                 tensor->strides[axes], tensor->shape[axes]};
}

/* Copies elements from start on, minus offset; returns their number. */
static size_t load(const row *r, size_t start, float offset, float *values)
{
    size_t count = r->count - start < CHUNK ? r->count - start : CHUNK;
    for (size_t i = 0; i < count; i++)
        values[i] = r->data[(ptrdiff_t)(start + i) * r->stride] - offset;
    return count;
}

static void store(const row *r, size_t start, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        r->data[(ptrdiff_t)(start + i) * r->stride] = values[i];
}

static float largest(const row *r)
{
    float result = r->data[0];
    for (size_t i = 1; i < r->count; i++) {
        float x = r->data[(ptrdiff_t)i * r->stride];
        result = x > result ? x : result;
    }
    return result;
}

static void softmax_row(const row *to, const row *from)
{
    float values[CHUNK], offset = largest(from);
    double sum = 0;
    for (size_t start = 0, count; start < from->count; start += count) {
        count = load(from, start, offset, values);
        lstm_kernels_get()->exp(count, values, values);
        for (size_t i = 0; i < count; i++)
            sum += (double)values[i];
        store(to, start, values, count);
    }
    for (size_t i = 0; i < to->count; i++) {
        float *value = to->data + (ptrdiff_t)i * to->stride;
        *value = (float)((double)*value / sum);
    }
}

static void sigmoid_row(const row *to, const row *from)
{
    float values[CHUNK];
    for (size_t start = 0, count; start < from->count; start += count) {
        count = load(from, start, 0, values);
        lstm_kernels_get()->sigmoid(count, values, values);
        store(to, start, values, count);
    }
}

static lstm_status apply(void (*function)(const row *to, const row *from),
                         lstm_tensor *to, const lstm_tensor *from)
{
    if (!to)
        return lstm_fail_null("tensor", "to");
    if (!from)
        return lstm_fail_null("tensor", "from");
    lstm_status status =
        lstm_tensor_expect(to, "tensor", "to", from->rank, from->shape);
    if (status)
        return status;
    size_t rows = lstm_tensor_count(from) / from->shape[from->rank - 1];
    for (size_t index = 0; index < rows; index++) {
        row target = row_of(to, index), source = row_of(from, index);
        function(&target, &source);
    }
    return LSTM_OK;
}

lstm_status lstm_tensor_softmax(lstm_tensor *to, const lstm_tensor *from)
{
    return apply(softmax_row, to, from);
}

lstm_status lstm_tensor_sigmoid(lstm_tensor *to, const lstm_tensor *from)
{
    return apply(sigmoid_row, to, from);
}
