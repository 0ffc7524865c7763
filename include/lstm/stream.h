/**
 * @file
 * Inference with carried state: sequences that come step by step.
 *
 * A stream holds the states of N sequences that advance together, and reads the weights
 * of a layer without changing it: any number of streams, in any number of threads, can
 * use one layer at once. A step allocates nothing, takes no lock and calls no system
 * function, and its outputs are those of lstm_layer_forward(), bit for bit, however a
 * sequence is cut into blocks.
 *
 *     lstm_layer_set_training(layer, false);
 *     lstm_stream_create(&stream, layer, head, 1);
 *     while (next_sample(samples))
 *         lstm_stream_step(stream, x, y);
 *
 * A stream computes in the precision of its layer. That of a layer with LSTM_BFLOAT16
 * reads half as many bytes of weights at each step, which is what a step of one
 * sequence waits for; to stream a model that was trained in float32 this way, create a
 * layer with that precision and load or copy the parameters. Its outputs differ from
 * those of float32 by at most 4e-3 of their norm: see docs/numerics.md.
 *
 * States and inputs that decay to denormal numbers (below 2^-126) are taken as zeros,
 * here as in every forward and backward, so that they do not slow a step down.
 */
#ifndef LSTM_STREAM_H
#define LSTM_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** States of sequences that advance together through one layer. */
typedef struct lstm_stream lstm_stream;

/**
 * Creates a stream, all its states zero.
 *
 * The layer MUST be in evaluation mode, outlive the stream, and be changed by nobody
 * while a stream of it computes. The head is copied: it need not outlive the stream,
 * and what becomes of it later does not matter.
 *
 * @param[out] out the stream, freed with lstm_stream_destroy(); NULL on failure
 * @param layer a layer of one direction, after lstm_layer_set_training(layer, false)
 * @param head a linear layer from S = P or H inputs, P with projection, to C outputs;
 *        NULL for none
 * @param batch N, number of sequences, at least 1
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out or layer is NULL, batch is out of range, or the
 *         layer is bidirectional: its reverse direction starts at the end
 * @retval LSTM_INVALID_STATE the layer is in training mode, or its weights changed
 *         after lstm_layer_set_training(layer, false)
 * @retval LSTM_SHAPE_MISMATCH the head has other inputs than S
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_stream_create(lstm_stream **out, const lstm_layer *layer,
                               const lstm_linear *head, size_t batch);

/**
 * Frees a stream, not its layer, and writes NULL to the handle.
 *
 * @param stream address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_stream_destroy(lstm_stream **stream);

/**
 * Takes the sequences one or more steps further.
 *
 * With Y = C when the stream has a head, else S:
 *
 * @param stream a stream
 * @param x [N, I] for one step, or a block of T steps: [N, T, I] when the layer is
 *        batch_first, else [T, N, I]
 * @param[out] y [N, Y], or [N, T, Y] or [T, N, Y], the head's output or h of the last
 *        layer at each step; NULL when not wanted; MUST NOT overlap x
 * @retval LSTM_OK y is written
 * @retval LSTM_INVALID_ARGUMENT stream or x is NULL
 * @retval LSTM_INVALID_STATE the layer is in training mode, or its weights changed
 *         after lstm_layer_set_training(layer, false); nothing was done
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was done
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_step(lstm_stream *stream, const lstm_tensor *x, lstm_tensor *y);

/**
 * Sets states to zero: what comes next is the first step of new sequences.
 *
 * @param stream a stream
 * @param rows [N] which sequences start anew; NULL for all
 * @retval LSTM_OK done
 * @retval LSTM_INVALID_ARGUMENT stream is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows);

/**
 * Reads the states, hn and cn of a forward over all steps so far.
 *
 * @param stream a stream
 * @param[out] h [L, N, S] hidden states; NULL when not wanted
 * @param[out] c [L, N, H] cell states; NULL when not wanted
 * @retval LSTM_OK written
 * @retval LSTM_INVALID_ARGUMENT stream is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c);

/**
 * Sets the states, h0 and c0 of a forward over the steps to come.
 *
 * @param stream a stream
 * @param h [L, N, S] hidden states; NULL for zeros
 * @param c [L, N, H] cell states; NULL for zeros
 * @retval LSTM_OK set
 * @retval LSTM_INVALID_ARGUMENT stream is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was set
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_set_state(lstm_stream *stream, const lstm_tensor *h,
                                  const lstm_tensor *c);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
