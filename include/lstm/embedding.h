/**
 * @file
 * The embedding: a row of a table for each index, as torch.nn.Embedding.
 */
#ifndef LSTM_EMBEDDING_H
#define LSTM_EMBEDDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Options of an embedding. */
typedef struct lstm_embedding_config {
    /** Number of rows of the table, at least 1. */
    size_t count;
    /** Size of a row, at least 1. */
    size_t size;
    /** Use padding_index (default false). */
    bool padding;
    /** With padding: a row, below count, that is zero at creation and gets no gradient
     *  (default 0). Must be 0 without padding. */
    size_t padding_index;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_embedding_config;

/** An embedding: the table, its gradient, and the indices that backward needs. */
typedef struct lstm_embedding lstm_embedding;

/**
 * Creates an embedding with the initial values of torch.nn.Embedding.
 *
 * The table [count, size] is drawn by lstm_rng_normal() with mean 0 and standard
 * deviation 1, then the padding row is set to zero.
 *
 * @param[out] out the embedding, freed with lstm_embedding_destroy(); NULL on failure
 * @param config options, copied
 * @param rng generator of the values, not used after this call; NULL leaves them zero
 * @retval LSTM_OK the embedding was created
 * @retval LSTM_INVALID_ARGUMENT out or config is NULL, a size is 0 or too large, or
 *         padding_index is not below count, or is not 0 without padding
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_embedding_create(lstm_embedding **out,
                                  const lstm_embedding_config *config, lstm_rng *rng);

/**
 * Frees an embedding and writes NULL to the handle.
 *
 * Destroy the parameter sets that contain it first.
 *
 * @param embedding address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_embedding_destroy(lstm_embedding **embedding);

/**
 * Writes y[..] = table[indices[..]]: copies a row of the table for each index.
 *
 * The indices are copied too, so the caller may change them before backward.
 *
 * @param embedding an embedding
 * @param indices [..], one for each row of y in row-major order, 0 to count - 1
 * @param[out] y [.., size] of rank 1 to 4: [N, T, size] for indices [N, T]
 * @retval LSTM_OK y was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or an index is out of range (the
 *         message names it and its position); nothing was written
 * @retval LSTM_SHAPE_MISMATCH the last axis of y is not size; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory for more indices than in earlier calls;
 *         nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_embedding_forward(lstm_embedding *embedding, const int64_t *indices,
                                   lstm_tensor *y);

/**
 * Adds the gradient of the last forward to that of the table: dtable[indices[..]] +=
 * dy[..].
 *
 * The rows of dy are added in order, with the same bits for any number of threads. The
 * gradient of the padding row does not change.
 *
 * The embedding keeps only the indices of the last forward. After several forwards,
 * such as one for each step, run one more forward over all indices, then one backward.
 *
 * @param embedding an embedding after a forward
 * @param dy gradient of y, in its shape
 * @retval LSTM_OK the gradient was added
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_INVALID_STATE there was no forward
 * @retval LSTM_SHAPE_MISMATCH the shape of dy differs from that of y in the last
 *         forward; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_embedding_backward(lstm_embedding *embedding, const lstm_tensor *dy);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
