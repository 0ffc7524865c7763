/**
 * @file
 * Tapes: several pending forwards of one layer.
 *
 * A tape holds the activations of one forward until its backward. A layer has its own
 * tape, which lstm_layer_forward() and lstm_layer_backward() use when their tape
 * argument is NULL. With more tapes, any number of forwards of one layer can be
 * pending, and their backwards can run in any order. Decoders that step one token at a
 * time, attention and siamese networks need this.
 *
 *     lstm_layer_forward(layer, a, x, NULL, NULL, NULL, out_a, NULL, NULL);
 *     lstm_layer_forward(layer, b, y, NULL, NULL, NULL, out_b, NULL, NULL);
 *     lstm_layer_backward(layer, b, dout_b, NULL, NULL, dy, NULL, NULL);
 *     lstm_layer_backward(layer, a, dout_a, NULL, NULL, dx, NULL, NULL);
 *
 * Other objects have no tapes: the backward of a linear layer, an embedding or a
 * cross-entropy belongs to its last forward. If their forwards run once for each step,
 * run one more forward over all steps before the backward: docs/recipes-training.md has
 * a decoder as an example.
 *
 * Weights: a forward with a tape packs the weights only when Adam, a file or
 * lstm_layer_set_weights() has changed them since they were last packed. A caller who
 * writes into weights calls lstm_layer_pack() afterwards. A change of the weights
 * discards all pending forwards: their backward fails.
 *
 * Threads: forwards of one layer may run in several threads at once, each with its own
 * tape and output tensors. The weights MUST NOT change at the same time. A backward
 * adds to the gradients of the layer, so it MUST NOT run at the same time as any other
 * call on the layer.
 *
 * Memory: a tape keeps the memory of its largest forward until it is destroyed. In
 * training, a tape contains only activations; all backwards of a layer use the same
 * memory of the layer.
 */
#ifndef LSTM_TAPE_H
#define LSTM_TAPE_H

#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/rng.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/**
 * Creates a tape for forwards of one layer.
 *
 * @param[out] out the tape, freed with lstm_tape_destroy(); NULL on failure
 * @param layer a layer, which MUST outlive the tape
 * @param rng generator of the dropout masks of forwards with this tape: required when
 *        the layer has dropout, and MUST then outlive the tape; ignored otherwise.
 *        Forwards that run at the same time MUST NOT share a generator.
 * @retval LSTM_OK the tape was created
 * @retval LSTM_INVALID_ARGUMENT out or layer is NULL, or rng is NULL and the layer has
 *         dropout
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tape_create(lstm_tape **out, lstm_layer *layer, lstm_rng *rng);

/**
 * Frees a tape and writes NULL to the handle. A pending forward is discarded.
 *
 * @param tape address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_tape_destroy(lstm_tape **tape);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
