/**
 * @file
 * Tensors: float32 arrays of rank 1 to 4 with strides.
 *
 * A tensor owns its memory, or is a view of another tensor's or of the caller's. Views
 * cost no copy: lstm_tensor_select() of the last step of [N, T, H] is [N, H] in place.
 * A tensor is one owner's at a time: two threads may read it at once, not write it.
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
 * Creates a tensor with memory of its own, filled with zeros.
 *
 * The memory is row-major (last axis fastest) and aligned to 64 bytes.
 *
 * @param[out] out the tensor, freed with lstm_tensor_destroy(); NULL on failure
 * @param rank number of axes, 1 to LSTM_MAX_RANK
 * @param shape [rank] extents, each at least 1
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out or shape is NULL, or the rank or an extent is out
 * of range, or the number of bytes overflows
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_create(lstm_tensor **out, size_t rank, const size_t *shape);

/**
 * Creates a tensor over memory of the caller, without copying.
 *
 * The memory MUST stay valid and hold every element that shape and strides reach for as
 * long as the tensor and views of it are used; it is never freed by the library.
 * Elements of a tensor that is written to MUST NOT overlap.
 *
 * @param[out] out the tensor, freed with lstm_tensor_destroy(); NULL on failure
 * @param data the element at index 0 of every axis
 * @param rank number of axes, 1 to LSTM_MAX_RANK
 * @param shape [rank] extents, each at least 1
 * @param strides [rank] distance between neighbours of each axis, in elements, zero and
 *        negative ones included; NULL for row-major without gaps
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out, data or shape is NULL, data is not aligned to 4
 *         bytes, or the rank, an extent or a stride is out of range
 * @retval LSTM_OUT_OF_MEMORY no memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_wrap(lstm_tensor **out, float *data, size_t rank,
                             const size_t *shape, const ptrdiff_t *strides);

/**
 * Creates a view of one index of an axis: its rank is one less.
 *
 * With x of shape [N, T, H], select(x, 1, T - 1) is [N, H], PyTorch's x[:, -1, :].
 * The view shares the memory of the tensor, which MUST outlive it.
 *
 * @param[out] out the view, freed with lstm_tensor_destroy(); NULL on failure
 * @param tensor any tensor of rank 2 or more
 * @param axis 0 to rank - 1
 * @param index 0 to the extent of that axis - 1
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, the rank is 1, or axis or index is
 * out of range
 * @retval LSTM_OUT_OF_MEMORY no memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_select(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t index);

/**
 * Creates a view of a range of an axis: its rank stays.
 *
 * With x of shape [N, T, H], narrow(x, 0, 0, 32) is the first 32 samples, PyTorch's
 * x[0:32]. The view shares the memory of the tensor, which MUST outlive it.
 *
 * @param[out] out the view, freed with lstm_tensor_destroy(); NULL on failure
 * @param tensor any tensor
 * @param axis 0 to rank - 1
 * @param start first index of the range
 * @param count extent of the range, at least 1
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or axis or range is out of bounds
 * @retval LSTM_OUT_OF_MEMORY no memory for the handle
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_narrow(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t start, size_t count);

/**
 * Frees a tensor, and its memory when it owns it, and writes NULL to the handle.
 *
 * @param tensor address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_tensor_destroy(lstm_tensor **tensor);

/** Number of axes; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_tensor_rank(const lstm_tensor *tensor);

/** Extent of an axis; 0 for NULL or an axis that is not there. @since 1.0 */
LSTM_API
size_t lstm_tensor_extent(const lstm_tensor *tensor, size_t axis);

/**
 * Distance between neighbours of an axis, in elements; 0 for NULL or an axis that is
 * not there.
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
 * Valid as long as the tensor, and for a view as long as what it is a view of.
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
 * Copies every element of one tensor to another of the same shape, strides as they are.
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

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
