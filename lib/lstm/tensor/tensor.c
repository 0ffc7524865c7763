#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

const char *lstm_shape_text(char *text, size_t rank, const size_t *shape)
{
    size_t used = 0;
    for (size_t i = 0; i < rank; i++) {
        int length = snprintf(text + used, LSTM_SHAPE_TEXT - used, "%s%zu",
                              i ? ", " : "[", shape[i]);
        used += (size_t)length;
    }
    snprintf(text + used, LSTM_SHAPE_TEXT - used, rank ? "]" : "[]");
    return text;
}

bool lstm_tensor_has_shape(const lstm_tensor *tensor, size_t rank, const size_t *shape)
{
    return tensor->rank == rank &&
           memcmp(tensor->shape, shape, rank * sizeof(*shape)) == 0;
}

lstm_status lstm_tensor_expect(const lstm_tensor *tensor, const char *object,
                               const char *name, size_t rank, const size_t *shape)
{
    char found[LSTM_SHAPE_TEXT], expected[LSTM_SHAPE_TEXT];
    if (lstm_tensor_has_shape(tensor, rank, shape))
        return LSTM_OK;
    return lstm_fail(LSTM_SHAPE_MISMATCH, "%s: %s is %s, expected %s", object, name,
                     lstm_shape_text(found, tensor->rank, tensor->shape),
                     lstm_shape_text(expected, rank, shape));
}

/* Writes the strides of row-major elements without gaps. */
static void row_major(size_t rank, const size_t *shape, ptrdiff_t *strides)
{
    ptrdiff_t next = 1;
    for (size_t i = rank; i-- > 0;) {
        strides[i] = next;
        next *= (ptrdiff_t)shape[i];
    }
}

bool lstm_tensor_is_contiguous(const lstm_tensor *tensor)
{
    ptrdiff_t strides[LSTM_MAX_RANK];
    row_major(tensor->rank, tensor->shape, strides);
    for (size_t i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] > 1 && tensor->strides[i] != strides[i])
            return false;
    return true;
}

/* Checks rank and extents, and that the size in bytes fits into ptrdiff_t. */
static lstm_status check_shape(size_t rank, const size_t *shape)
{
    if (rank < 1 || rank > LSTM_MAX_RANK)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "tensor: rank is %zu, expected 1 to %d",
                         rank, LSTM_MAX_RANK);
    char text[LSTM_SHAPE_TEXT];
    size_t bytes = sizeof(float);
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] < 1)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "tensor: shape is %s, expected extents of at least 1",
                             lstm_shape_text(text, rank, shape));
        if (!common_multiply(bytes, shape[i], &bytes) || bytes > PTRDIFF_MAX)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "tensor: shape is %s, larger than the address space",
                             lstm_shape_text(text, rank, shape));
    }
    return LSTM_OK;
}

/* Checks that the offsets of all elements fit into ptrdiff_t. */
static lstm_status check_strides(size_t rank, const size_t *shape,
                                 const ptrdiff_t *strides)
{
    size_t reach = 0;
    for (size_t i = 0; i < rank; i++) {
        size_t size = strides[i] < 0 ? -(size_t)strides[i] : (size_t)strides[i];
        size_t step;
        if (!common_multiply(size, shape[i] - 1, &step) ||
            !common_add(reach, step, &reach) || reach > PTRDIFF_MAX / sizeof(float))
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "tensor: stride %td of axis %zu is out of range",
                             strides[i], i);
    }
    return LSTM_OK;
}

/* Returns a tensor without data, with row-major strides; NULL if memory is exhausted.
 */
static lstm_tensor *new_handle(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor = common_alloc_bytes(sizeof(*tensor));
    if (!tensor) {
        lstm_fail_memory("tensor");
        return NULL;
    }
    tensor->rank = rank;
    memcpy(tensor->shape, shape, rank * sizeof(*shape));
    row_major(rank, shape, tensor->strides);
    return tensor;
}

lstm_status lstm_tensor_create(lstm_tensor **out, size_t rank, const size_t *shape)
{
    if (!out)
        return lstm_fail_null("tensor", "out");
    *out = NULL;
    if (!shape)
        return lstm_fail_null("tensor", "shape");
    lstm_status status = check_shape(rank, shape);
    if (status)
        return status;
    lstm_tensor *tensor = new_handle(rank, shape);
    if (!tensor)
        return LSTM_OUT_OF_MEMORY;
    tensor->owns = true;
    tensor->data = common_alloc(lstm_tensor_count(tensor), sizeof(float));
    if (!tensor->data) {
        lstm_tensor_destroy(&tensor);
        return lstm_fail_memory("tensor");
    }
    *out = tensor;
    return LSTM_OK;
}

lstm_status lstm_tensor_wrap(lstm_tensor **out, float *data, size_t rank,
                             const size_t *shape, const ptrdiff_t *strides)
{
    if (!out)
        return lstm_fail_null("tensor", "out");
    *out = NULL;
    if (!data)
        return lstm_fail_null("tensor", "data");
    if (!shape)
        return lstm_fail_null("tensor", "shape");
    if ((uintptr_t)data % _Alignof(float))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tensor: data is at %p, expected a multiple of %zu",
                         (void *)data, _Alignof(float));
    lstm_status status = check_shape(rank, shape);
    if (!status && strides)
        status = check_strides(rank, shape, strides);
    if (status)
        return status;
    lstm_tensor *tensor = new_handle(rank, shape);
    if (!tensor)
        return LSTM_OUT_OF_MEMORY;
    tensor->data = data;
    if (strides)
        memcpy(tensor->strides, strides, rank * sizeof(*strides));
    *out = tensor;
    return LSTM_OK;
}

static lstm_status check_axis(const lstm_tensor *tensor, size_t axis)
{
    if (axis < tensor->rank)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "tensor: axis is %zu, expected 0 to %zu",
                     axis, tensor->rank - 1);
}

lstm_status lstm_tensor_select(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t index)
{
    if (!out)
        return lstm_fail_null("tensor", "out");
    *out = NULL;
    if (!tensor)
        return lstm_fail_null("tensor", "tensor");
    if (tensor->rank < 2)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tensor: rank is 1, expected at least 2");
    lstm_status status = check_axis(tensor, axis);
    if (status)
        return status;
    if (index >= tensor->shape[axis])
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tensor: index is %zu, expected 0 to %zu", index,
                         tensor->shape[axis] - 1);
    lstm_tensor *view = new_handle(tensor->rank, tensor->shape);
    if (!view)
        return LSTM_OUT_OF_MEMORY;
    size_t rest = tensor->rank - axis - 1;
    view->rank--;
    memcpy(view->strides, tensor->strides, sizeof(view->strides));
    memmove(view->shape + axis, view->shape + axis + 1, rest * sizeof(*view->shape));
    memmove(view->strides + axis, view->strides + axis + 1,
            rest * sizeof(*view->strides));
    view->data = tensor->data + (ptrdiff_t)index * tensor->strides[axis];
    *out = view;
    return LSTM_OK;
}

lstm_status lstm_tensor_narrow(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t start, size_t count)
{
    if (!out)
        return lstm_fail_null("tensor", "out");
    *out = NULL;
    if (!tensor)
        return lstm_fail_null("tensor", "tensor");
    lstm_status status = check_axis(tensor, axis);
    if (status)
        return status;
    size_t extent = tensor->shape[axis];
    if (count < 1 || count > extent || start > extent - count)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tensor: range is %zu indices from %zu, expected at least 1 "
                         "index within 0 to %zu",
                         count, start, extent - 1);
    lstm_tensor *view = new_handle(tensor->rank, tensor->shape);
    if (!view)
        return LSTM_OUT_OF_MEMORY;
    memcpy(view->strides, tensor->strides, sizeof(view->strides));
    view->shape[axis] = count;
    view->data = tensor->data + (ptrdiff_t)start * tensor->strides[axis];
    *out = view;
    return LSTM_OK;
}

/*
 * Computes the strides of a view of a tensor in another shape with as many elements, as
 * PyTorch's view() does. Neighbouring axes of the tensor without gaps between them form
 * a group. Each axis of the shape must be part of one group; returns false otherwise.
 */
static bool view_strides(const lstm_tensor *tensor, size_t rank, const size_t *shape,
                         ptrdiff_t *strides)
{
    size_t next = rank, elements = 1, viewed = 1;
    ptrdiff_t stride = tensor->strides[tensor->rank - 1];
    for (size_t i = tensor->rank; i-- > 0;) {
        elements *= tensor->shape[i];
        if (i > 0 && (tensor->shape[i - 1] == 1 ||
                      tensor->strides[i - 1] == (ptrdiff_t)elements * stride))
            continue;
        for (; next > 0 && (viewed < elements || shape[next - 1] == 1); next--) {
            strides[next - 1] = (ptrdiff_t)viewed * stride;
            viewed *= shape[next - 1];
        }
        if (viewed != elements)
            return false;
        if (i > 0)
            stride = tensor->strides[i - 1];
        elements = viewed = 1;
    }
    return next == 0;
}

static lstm_status check_reshape(const lstm_tensor *tensor, size_t rank,
                                 const size_t *shape)
{
    char from[LSTM_SHAPE_TEXT], to[LSTM_SHAPE_TEXT];
    lstm_status status = check_shape(rank, shape);
    size_t count = 1;
    for (size_t i = 0; !status && i < rank; i++)
        count *= shape[i];
    if (status || count == lstm_tensor_count(tensor))
        return status;
    return lstm_fail(LSTM_SHAPE_MISMATCH,
                     "tensor: reshape of %s to %s, expected %zu "
                     "elements",
                     lstm_shape_text(from, tensor->rank, tensor->shape),
                     lstm_shape_text(to, rank, shape), lstm_tensor_count(tensor));
}

lstm_status lstm_tensor_reshape(lstm_tensor **out, const lstm_tensor *tensor,
                                size_t rank, const size_t *shape)
{
    char from[LSTM_SHAPE_TEXT], to[LSTM_SHAPE_TEXT];
    ptrdiff_t strides[LSTM_MAX_RANK];
    if (!out)
        return lstm_fail_null("tensor", "out");
    *out = NULL;
    if (!tensor)
        return lstm_fail_null("tensor", "tensor");
    if (!shape)
        return lstm_fail_null("tensor", "shape");
    lstm_status status = check_reshape(tensor, rank, shape);
    if (status)
        return status;
    if (!view_strides(tensor, rank, shape, strides))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tensor: the strides of %s allow no view as %s; copy it first",
                         lstm_shape_text(from, tensor->rank, tensor->shape),
                         lstm_shape_text(to, rank, shape));
    return lstm_tensor_wrap(out, tensor->data, rank, shape, strides);
}

void lstm_tensor_destroy(lstm_tensor **tensor)
{
    if (!tensor || !*tensor)
        return;
    if ((*tensor)->owns)
        common_free((*tensor)->data);
    common_free(*tensor);
    *tensor = NULL;
}

size_t lstm_tensor_rank(const lstm_tensor *tensor)
{
    return tensor ? tensor->rank : 0;
}

size_t lstm_tensor_extent(const lstm_tensor *tensor, size_t axis)
{
    return tensor && axis < tensor->rank ? tensor->shape[axis] : 0;
}

ptrdiff_t lstm_tensor_stride(const lstm_tensor *tensor, size_t axis)
{
    return tensor && axis < tensor->rank ? tensor->strides[axis] : 0;
}

size_t lstm_tensor_count(const lstm_tensor *tensor)
{
    if (!tensor)
        return 0;
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

float *lstm_tensor_data(const lstm_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

/* Copies axis by axis; a stride of 0 reads or writes the same element again. */
static void copy_axes(size_t rank, const size_t *shape, float *to,
                      const ptrdiff_t *to_strides, const float *from,
                      const ptrdiff_t *from_strides)
{
    size_t extent = shape[0];
    if (rank == 1 && to_strides[0] == 1 && from_strides[0] == 1) {
        memcpy(to, from, extent * sizeof(*to));
        return;
    }
    for (size_t i = 0; i < extent; i++) {
        float *to_next = to + (ptrdiff_t)i * to_strides[0];
        const float *from_next = from + (ptrdiff_t)i * from_strides[0];
        if (rank == 1)
            *to_next = *from_next;
        else
            copy_axes(rank - 1, shape + 1, to_next, to_strides + 1, from_next,
                      from_strides + 1);
    }
}

void lstm_tensor_gather(float *to, const lstm_tensor *from)
{
    ptrdiff_t strides[LSTM_MAX_RANK];
    if (lstm_tensor_is_contiguous(from)) {
        memcpy(to, from->data, lstm_tensor_count(from) * sizeof(*to));
        return;
    }
    row_major(from->rank, from->shape, strides);
    copy_axes(from->rank, from->shape, to, strides, from->data, from->strides);
}

void lstm_tensor_scatter(lstm_tensor *to, const float *from)
{
    ptrdiff_t strides[LSTM_MAX_RANK];
    if (lstm_tensor_is_contiguous(to)) {
        memcpy(to->data, from, lstm_tensor_count(to) * sizeof(*from));
        return;
    }
    row_major(to->rank, to->shape, strides);
    copy_axes(to->rank, to->shape, to->data, to->strides, from, strides);
}

lstm_status lstm_tensor_fill(lstm_tensor *tensor, float value)
{
    static const ptrdiff_t none[LSTM_MAX_RANK];
    if (!tensor)
        return lstm_fail_null("tensor", "tensor");
    if (lstm_tensor_is_contiguous(tensor)) {
        size_t count = lstm_tensor_count(tensor);
        float *data = tensor->data;
        for (size_t i = 0; i < count; i++)
            data[i] = value;
        return LSTM_OK;
    }
    copy_axes(tensor->rank, tensor->shape, tensor->data, tensor->strides, &value, none);
    return LSTM_OK;
}

lstm_status lstm_tensor_copy(lstm_tensor *to, const lstm_tensor *from)
{
    if (!to)
        return lstm_fail_null("tensor", "to");
    if (!from)
        return lstm_fail_null("tensor", "from");
    lstm_status status =
        lstm_tensor_expect(to, "tensor", "to", from->rank, from->shape);
    if (!status && to != from)
        copy_axes(to->rank, to->shape, to->data, to->strides, from->data,
                  from->strides);
    return status;
}
