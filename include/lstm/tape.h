/**
 * @file
 * Tapes: several pending forwards of one layer.
 *
 * A tape holds the activations of one forward until its backward. A layer has a tape of
 * its own, which lstm_layer_forward() and lstm_layer_backward() use when their argument
 * is NULL. With more tapes, any number of forwards of one layer can be pending, and
 * their backwards can come in any order: decoders that step one token at a time,
 * attention, siamese networks.
 *
 *     lstm_layer_forward(layer, a, x, NULL, NULL, NULL, out_a, NULL, NULL);
 *     lstm_layer_forward(layer, b, y, NULL, NULL, NULL, out_b, NULL, NULL);
 *     lstm_layer_backward(layer, b, dout_b, NULL, NULL, dy, NULL, NULL);
 *     lstm_layer_backward(layer, a, dout_a, NULL, NULL, dx, NULL, NULL);
 *
 * Other objects have no tapes: the backward of a linear layer, an embedding or a
 * cross-entropy is that of its last forward. If they run once for each step, run them
 * once more over all steps before the backward: docs/recipes-training.md has a decoder.
 *
 * Weights: a forward with a tape packs the weights only when Adam, a file or
 * lstm_layer_set_weights() has changed them since they were last packed. A caller who
 * writes into weights calls lstm_layer_pack() afterwards. Changed weights discard all
 * pending forwards: their backward is refused.
 *
 * Threads: forwards of one layer may run in several threads at once, each with a tape
 * and output tensors of its own. Backwards of one layer MUST run one at a time, and not
 * at the same time as any other call on the layer: they add to its gradients. Nothing
 * may change the weights meanwhile.
 *
 * Memory: a tape keeps the memory of its largest forward until it is destroyed. A
 * training tape holds activations only; all backwards of a layer share one memory.
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
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out or layer is NULL, or rng is NULL and the layer has
 *         dropout
 * @retval LSTM_OUT_OF_MEMORY no memory
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
