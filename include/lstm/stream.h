/**
 * @file
 * Inference step by step, with states that are kept between calls.
 *
 * A stream holds the states of N sequences that advance together. It reads the weights
 * of a layer without changing them: any number of streams of one layer can run in any
 * number of threads. A step allocates no memory, takes no lock and makes no system
 * call. Its outputs have the bits of lstm_layer_forward(), however a sequence is
 * divided into blocks of steps.
 *
 *     lstm_layer_set_training(layer, false);
 *     lstm_stream_create(&stream, layer, head, 1);
 *     while (next_sample(samples))
 *         lstm_stream_step(stream, x, y);
 *
 * A stream computes in the precision of its layer. With LSTM_BFLOAT16 a step reads half
 * as many bytes of weights; reading them limits the speed of a single sequence. To
 * stream a model that was trained in float32 in bfloat16, create a layer with that
 * precision and load or copy the parameters. Its outputs differ from those of float32
 * by at most 4e-3 of their norm: see docs/numerics.md. With LSTM_INT8 a step reads a
 * quarter as many bytes; layer.h shows how to quantise a model.
 *
 * Denormal numbers (below 2^-126) are treated as zeros, as in every forward and
 * backward, so a state that decays does not slow down the steps.
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
 * Creates a stream. All its states are zero.
 *
 * The layer MUST be in evaluation mode and outlive the stream, and MUST NOT be changed
 * while a stream of it runs. The head is copied: it may be changed or destroyed
 * afterwards.
 *
 * @param[out] out the stream, freed with lstm_stream_destroy(); NULL on failure
 * @param layer a layer of one direction, after lstm_layer_set_training(layer, false)
 * @param head a linear layer of S inputs and C outputs that is applied to h of the last
 *        layer, S = P with projection, else H; NULL: no head
 * @param batch N, number of sequences, at least 1
 * @retval LSTM_OK the stream was created
 * @retval LSTM_INVALID_ARGUMENT out or layer is NULL, batch is out of range, or the
 *         layer is bidirectional: a reverse direction needs whole sequences
 * @retval LSTM_INVALID_STATE the layer is in training mode, or its weights changed
 *         after lstm_layer_set_training(layer, false)
 * @retval LSTM_SHAPE_MISMATCH the number of inputs of the head is not S
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_stream_create(lstm_stream **out, const lstm_layer *layer,
                               const lstm_linear *head, size_t batch);

/**
 * Frees a stream and writes NULL to the handle. It does not free the layer.
 *
 * @param stream address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_stream_destroy(lstm_stream **stream);

/**
 * Processes one or more steps of the sequences.
 *
 * With Y = C when the stream has a head, else S:
 *
 * @param stream a stream
 * @param x [N, I] for one step, or a block of T steps: [N, T, I] when the layer is
 *        batch_first, else [T, N, I]
 * @param[out] y [N, Y], or [N, T, Y] or [T, N, Y], the output of the head or h of the
 *        last layer at each step; NULL when not wanted; MUST NOT overlap x
 * @retval LSTM_OK y was written
 * @retval LSTM_INVALID_ARGUMENT stream or x is NULL
 * @retval LSTM_INVALID_STATE the layer is in training mode, or its weights changed
 *         after lstm_layer_set_training(layer, false); nothing was done
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was done
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_step(lstm_stream *stream, const lstm_tensor *x, lstm_tensor *y);

/**
 * Sets states to zero: the next step is the first of new sequences.
 *
 * @param stream a stream
 * @param rows [N] true for the sequences that start again; NULL for all
 * @retval LSTM_OK the states were reset
 * @retval LSTM_INVALID_ARGUMENT stream is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows);

/**
 * Reads the states: hn and cn of a forward over all steps so far.
 *
 * @param stream a stream
 * @param[out] h [L, N, S] hidden states; NULL when not wanted
 * @param[out] c [L, N, H] cell states; NULL when not wanted
 * @retval LSTM_OK the states were written
 * @retval LSTM_INVALID_ARGUMENT stream is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c);

/**
 * Sets the states: h0 and c0 of a forward over the following steps.
 *
 * @param stream a stream
 * @param h [L, N, S] hidden states; NULL for zeros
 * @param c [L, N, H] cell states; NULL for zeros
 * @retval LSTM_OK the states were set
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
