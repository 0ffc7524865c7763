/**
 * @file
 * The struct of tensors, and checks of shapes for all objects.
 */
#ifndef LSTM_TENSOR_TENSOR_H
#define LSTM_TENSOR_TENSOR_H

#include <stdbool.h>

#include <lstm/tensor.h>

struct lstm_tensor {
    float *data;
    size_t rank;
    size_t shape[LSTM_MAX_RANK];
    /** Stride of each axis in elements. */
    ptrdiff_t strides[LSTM_MAX_RANK];
    /** The tensor owns the memory at data and frees it. */
    bool owns;
};

/** Size of the text of a shape: "[", extents of 20 digits, separators, "]", for up to
 * eight axes, as tensors in files can have. */
enum { LSTM_SHAPE_TEXT = 192 };

/** Writes a shape of rank 0 to 8 as "[64, 28, 128]" into text [LSTM_SHAPE_TEXT] and
 *  returns it. */
const char *lstm_shape_text(char *text, size_t rank, const size_t *shape);

/** Whether a tensor has exactly this shape. */
bool lstm_tensor_has_shape(const lstm_tensor *tensor, size_t rank, const size_t *shape);

/**
 * Checks that a tensor has a shape.
 *
 * @return LSTM_OK, or LSTM_SHAPE_MISMATCH with a message that shows both:
 *         "object: name is [64, 27], expected [64, 28]"
 */
lstm_status lstm_tensor_expect(const lstm_tensor *tensor, const char *object,
                               const char *name, size_t rank, const size_t *shape);

/** Whether the elements are row-major without gaps. */
bool lstm_tensor_is_contiguous(const lstm_tensor *tensor);

/** Offset in elements of a position of the first axes of a tensor, counted in row-major
 * order by index; the other axes are at index 0. */
static inline ptrdiff_t lstm_tensor_offset(const lstm_tensor *tensor, size_t axes,
                                           size_t index)
{
    ptrdiff_t offset = 0;
    while (axes-- > 0) {
        offset += (ptrdiff_t)(index % tensor->shape[axes]) * tensor->strides[axes];
        index /= tensor->shape[axes];
    }
    return offset;
}

/** Copies a tensor's elements, in row-major order, to an array without gaps. */
void lstm_tensor_gather(float *to, const lstm_tensor *from);

/** Copies an array without gaps, in row-major order, to a tensor's elements. */
void lstm_tensor_scatter(lstm_tensor *to, const float *from);

#endif
