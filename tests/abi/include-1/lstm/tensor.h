#ifndef LSTM_TENSOR_H
#define LSTM_TENSOR_H
#include <stddef.h>
#include <lstm/export.h>
#include <lstm/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
#define LSTM_MAX_RANK 4
typedef struct lstm_tensor lstm_tensor;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_create(lstm_tensor **out, size_t rank, const size_t *shape);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_wrap(lstm_tensor **out, float *data, size_t rank,
                             const size_t *shape, const ptrdiff_t *strides);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_select(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t index);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_narrow(lstm_tensor **out, const lstm_tensor *tensor,
                               size_t axis, size_t start, size_t count);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tensor_reshape(lstm_tensor **out, const lstm_tensor *tensor,
                                size_t rank, const size_t *shape);
LSTM_API
void lstm_tensor_destroy(lstm_tensor **tensor);
LSTM_API
size_t lstm_tensor_rank(const lstm_tensor *tensor);
LSTM_API
size_t lstm_tensor_extent(const lstm_tensor *tensor, size_t axis);
LSTM_API
ptrdiff_t lstm_tensor_stride(const lstm_tensor *tensor, size_t axis);
LSTM_API
size_t lstm_tensor_count(const lstm_tensor *tensor);
LSTM_API
float *lstm_tensor_data(const lstm_tensor *tensor);
LSTM_API
lstm_status lstm_tensor_fill(lstm_tensor *tensor, float value);
LSTM_API
lstm_status lstm_tensor_copy(lstm_tensor *to, const lstm_tensor *from);
LSTM_API
lstm_status lstm_tensor_softmax(lstm_tensor *to, const lstm_tensor *from);
LSTM_API
lstm_status lstm_tensor_sigmoid(lstm_tensor *to, const lstm_tensor *from);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
