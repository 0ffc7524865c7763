/**
 * @file
 * Tensors: float32 arrays of rank 1 to 4 with strides.
 *
 * A tensor either owns its memory or is a view of memory of another tensor or of the
 * caller. A view copies nothing: lstm_tensor_select() of the last step of [N, T, H] is
 * [N, H] in the same memory. Threads may read a tensor concurrently; while one thread
 * writes to it, no other may use it.
 */
#ifndef LSTM_TENSOR_H
#define LSTM_TENSOR_H

#include <stddef.h>

#include <lstm/export.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Largest rank of a tensor. */
#define LSTM_MAX_RANK 4

/** A strided array of float32. */
typedef struct lstm_tensor lstm_tensor;

/**
 * Creates a tensor that owns its memory, filled with zeros.
 *
 * The memory is row-major (last axis fastest) and aligned to 64 bytes.
 *
 * @param[out] out the tensor, freed with lstm_tensor_destroy(); NULL on failure
 * @param rank number of axes, 1 to LSTM_MAX_RANK
 * @param shape [rank] extents, each at least 1
 * @retval LSTM_OK the tensor was created
 * @retval LSTM_INVALID_ARGUMENT out or shape is NULL, or the rank or an extent is out
 *         of range, or the number of bytes overflows
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_create(lstm_tensor **out, size_t rank, const size_t *shape);

/**
 * Creates a tensor over memory of the caller, without copying.
 *
 * The memory MUST contain every element that shape and strides can address, and stay
 * valid as long as the tensor and views of it are used. The library never frees it. If
 * the tensor is written to, its elements MUST NOT overlap.
 *
 * @param[out] out the tensor, freed with lstm_tensor_destroy(); NULL on failure
 * @param data the element at index 0 of every axis
 * @param rank number of axes, 1 to LSTM_MAX_RANK
 * @param shape [rank] extents, each at least 1
 * @param strides [rank] stride of each axis in elements, which may be zero or negative;
 *        NULL: row-major without gaps
 * @retval LSTM_OK the tensor was created
 * @retval LSTM_INVALID_ARGUMENT out, data or shape is NULL, data is not aligned to 4
 *         bytes, or the rank, an extent or a stride is out of range
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_wrap(lstm_tensor **out, float *data, size_t rank,
                             const size_t *shape, const ptrdiff_t *strides);

/**
 * Creates a view of one index of an axis; its rank is one less.
 *
 * For x [N, T, H], axis 1 and index T - 1 give [N, H]: x[:, -1, :] in PyTorch.
 * The view shares the memory of the tensor, which MUST outlive it.
 *
 * @param[out] out the view, freed with lstm_tensor_destroy(); NULL on failure
 * @param tensor any tensor of rank 2 or more
 * @param axis 0 to rank - 1
 * @param index 0 to the extent of that axis - 1
 * @retval LSTM_OK the tensor was created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, the rank is 1, or axis or index is
 *         out of range
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_select(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t index);

/**
 * Creates a view of a range of an axis; its rank is the same.
 *
 * For x [N, T, H], axis 0, start 0 and count 32 give the first 32 sequences: x[0:32] in
 * PyTorch. The view shares the memory of the tensor, which MUST outlive it.
 *
 * @param[out] out the view, freed with lstm_tensor_destroy(); NULL on failure
 * @param tensor any tensor
 * @param axis 0 to rank - 1
 * @param start first index of the range
 * @param count extent of the range, at least 1
 * @retval LSTM_OK the tensor was created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or axis or range is out of bounds
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_narrow(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t start, size_t count);

/**
 * Creates a view in another shape, as Tensor.view() of PyTorch.
 *
 * The elements keep their row-major order: [N, T, H] as [N * T, H], for example. The
 * view shares the memory of the tensor, which MUST outlive it. No view is possible if
 * one of its axes would span several axes of the tensor with gaps between them: copy
 * the tensor to a new one with lstm_tensor_copy() first.
 *
 * @param[out] out the view, freed with lstm_tensor_destroy(); NULL on failure
 * @param tensor any tensor
 * @param rank number of axes, 1 to LSTM_MAX_RANK
 * @param shape [rank] extents, each at least 1
 * @retval LSTM_OK the view was created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, the rank or an extent is out of
 *         range, or the strides of tensor allow no such view
 * @retval LSTM_SHAPE_MISMATCH the number of elements differs
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_reshape(lstm_tensor **out, const lstm_tensor *tensor,
                                size_t rank, const size_t *shape);

/**
 * Frees a tensor and the memory that it owns, and writes NULL to the handle.
 *
 * @param tensor address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_tensor_destroy(lstm_tensor **tensor);

/** Number of axes; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_tensor_rank(const lstm_tensor *tensor);

/** Extent of an axis; 0 for NULL, or when axis is not below the rank. @since 1.0 */
LSTM_API
size_t lstm_tensor_extent(const lstm_tensor *tensor, size_t axis);

/**
 * Stride of an axis in elements; 0 for NULL, or when axis is not below the rank.
 * @since 1.0
 */
LSTM_API
ptrdiff_t lstm_tensor_stride(const lstm_tensor *tensor, size_t axis);

/** Number of elements, the product of the extents; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_tensor_count(const lstm_tensor *tensor);

/**
 * Address of the element at index 0 of every axis; NULL for NULL.
 *
 * Valid as long as the tensor and, for a view, as long as the memory it refers to.
 * @since 1.0
 */
LSTM_API
float *lstm_tensor_data(const lstm_tensor *tensor);

/**
 * Sets every element to one value.
 *
 * @param tensor a tensor or a view
 * @param value any value
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT tensor is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_tensor_fill(lstm_tensor *tensor, float value);

/**
 * Copies every element of a tensor to another one of the same shape and any strides.
 *
 * The two MUST NOT overlap in memory unless they are the same tensor.
 *
 * @param to a tensor or a view
 * @param from a tensor or a view of the same shape
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_SHAPE_MISMATCH the shapes differ; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_tensor_copy(lstm_tensor *to, const lstm_tensor *from);

/**
 * Computes the softmax along the last axis: y = exp(x - max) / sum of exp(x - max).
 *
 * The error is at most 3e-7; the relative error is at most 3e-7 (3e-6 with the kernels
 * of plain C) + 6e-8 (max - x). If x is 87.34 or more below max, y is 0. A row with NaN
 * or INFINITY gives NaN.
 *
 * @param[out] to in the shape of from; may be the same tensor as from, and MUST NOT
 *        overlap it otherwise
 * @param from any shape
 * @retval LSTM_OK to was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_SHAPE_MISMATCH the shapes differ; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_tensor_softmax(lstm_tensor *to, const lstm_tensor *from);

/**
 * Computes the sigmoid of each element: y = 1 / (1 + exp(-x)).
 *
 * The error is at most 1.5e-7. NaN gives NaN.
 *
 * @param[out] to in the shape of from; may be the same tensor as from, and MUST NOT
 *        overlap it otherwise
 * @param from any shape
 * @retval LSTM_OK to was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_SHAPE_MISMATCH the shapes differ; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_tensor_sigmoid(lstm_tensor *to, const lstm_tensor *from);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
