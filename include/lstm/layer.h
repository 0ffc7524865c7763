/**
 * @file
 * The LSTM: the whole stack of layers of torch.nn.LSTM in one object.
 *
 * For each layer and step, with the gates in the order i, f, g, o:
 *
 *     i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)     f, o likewise
 *     g = tanh(W_ig x + b_ig + W_hg h + b_hg)
 *     c' = f c + i g
 *     h' = o tanh(c')
 *
 * (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000.)
 */
#ifndef LSTM_LAYER_H
#define LSTM_LAYER_H

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

/** Number format of the operands of products. Everything else is float32. */
typedef enum lstm_precision {
    /** float32 products. */
    LSTM_FLOAT32 = 0,
    /** Operands are rounded to bfloat16 (8 significant bits); sums are float32. This is
     * about twice as fast on AMD's CPUs with AVX512_BF16. On others with AVX2, Intel's
     * too, training takes about as long as in float32. The bits are the same on all.
     * Weights, gradients, cell states and element-wise operations are float32; h is
     * rounded when it is computed.
     * Outputs and gradients differ from those of float32 by at most 4e-3 of their norm:
     * see docs/numerics.md. */
    LSTM_BFLOAT16 = 1,
    /** For inference and streams: weights are int8, with a scale for each row of
     * weight_ih, weight_hh and weight_hr. A row w becomes integers q from -127 to 127
     * and one scale s = max |w| / 127: q is w / s, rounded to nearest. x and h are
     * rounded to 15 bits when a product reads them, and sums are exact; see
     * docs/numerics.md for the definition. Biases, cell states and element-wise
     * operations are float32. The bits are the same on all CPUs, also in plain C.
     *
     * The parameters of such a layer are float32, set as those of any layer; the layer
     * quantises them when it packs them. To quantise a trained layer, create a layer
     * with this precision and copy or load the parameters:
     *
     *     lstm_layer_config config = *lstm_layer_get_config(trained);
     *     config.precision = LSTM_INT8;
     *     config.dropout = 0;
     *     lstm_layer_create(&layer, &config, NULL);
     *     lstm_params_create(&params);
     *     lstm_params_add_layer(params, "lstm", layer);
     *     lstm_params_load(params, "model.safetensors",
     *                      &(lstm_file_options){.allow_surplus = true});
     *     lstm_layer_set_training(layer, false);
     *
     * The layer is always in evaluation mode, and its parameters have no gradients: a
     * switch to training and a backward fail with LSTM_UNSUPPORTED. lstm_params_save()
     * writes the int8 values, a quarter of the size.
     */
    LSTM_INT8 = 2
} lstm_precision;

/** Options of a stack of LSTM layers. Zero is the default of each option except inputs
 * and hidden. */
typedef struct lstm_layer_config {
    /** I, number of inputs per step, at least 1. */
    size_t inputs;
    /** H, number of hidden units, at least 1. */
    size_t hidden;
    /** L, number of layers (default 0, which means 1). */
    size_t layers;
    /** P, size of a linear projection of h, less than H (default 0: no projection). */
    size_t proj_size;
    /** Dropout probability of the outputs of all layers but the last, in training, 0 to
     *  1 (default 0). */
    double dropout;
    /** No biases (default false). */
    bool no_bias;
    /** Batch axis first: x and out are [N, T, ...] instead of [T, N, ...] (default
     * false). */
    bool batch_first;
    /** A second direction processes each sequence from its end (default false). */
    bool bidirectional;
    /** Number format of products, also of streams (default LSTM_FLOAT32). */
    lstm_precision precision;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_layer_config;

/** A stack of LSTM layers: weights, gradients, and its own tape. */
typedef struct lstm_layer lstm_layer;

/** Activations of one forward of one layer, for its backward: see tape.h. */
typedef struct lstm_tape lstm_tape;

/**
 * Creates a stack of layers with the initial weights of torch.nn.LSTM.
 *
 * Every parameter is uniform in [-1/sqrt(H), 1/sqrt(H)), in PyTorch's order: per layer
 * and direction weight_ih, weight_hh, bias_ih, bias_hh, weight_hr. The layer is in
 * training mode, with LSTM_INT8 in evaluation mode.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param config sizes and options, copied
 * @param rng generator of the weights. With dropout it also draws the masks of each
 *        forward, and MUST outlive the layer. NULL: all weights are zero; not allowed
 *        with dropout.
 * @retval LSTM_OK the layer was created
 * @retval LSTM_INVALID_ARGUMENT out or config is NULL, or an option is out of range;
 *         the message names it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_create(lstm_layer **out, const lstm_layer_config *config,
                              lstm_rng *rng);

/**
 * Frees a layer and writes NULL to the handle.
 *
 * Tapes and streams of the layer, and parameter sets that contain it, MUST be destroyed
 * before it.
 *
 * @param layer address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_layer_destroy(lstm_layer **layer);

/** Options of a layer, valid until it is destroyed; NULL for NULL. @since 1.0 */
LSTM_API
const lstm_layer_config *lstm_layer_get_config(const lstm_layer *layer);

/** Size D*S of the output of a step: D = 2 when bidirectional, else 1; S = P with
 *  projection, else H. 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_layer_output_size(const lstm_layer *layer);

/**
 * Switches between training and evaluation mode.
 *
 * A forward in training mode (the mode after creation) applies dropout and keeps the
 * activations for its backward. A forward in evaluation mode does neither. The layer
 * computes with packed copies of the weights. In training mode, each forward without a
 * tape argument packs them. For evaluation mode, this call packs them, and a forward
 * packs them again only if Adam, a file or lstm_layer_set_weights() has changed them.
 * After you have written into weights, call this function again. After a switch to
 * evaluation mode the layer is ready for streams (stream.h).
 *
 * @param layer a layer
 * @param training true for training, false for evaluation
 * @retval LSTM_OK the mode was switched; a switch to evaluation discards all pending
 *         forwards, a switch to training discards that of the layer's own tape
 * @retval LSTM_INVALID_ARGUMENT layer is NULL
 * @retval LSTM_UNSUPPORTED training is true, and the precision is LSTM_INT8
 * @retval LSTM_NOT_FINITE a weight of a layer of LSTM_INT8 is not finite; the message
 *         names it; nothing was switched
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the packed weights; nothing was
 *         switched
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_set_training(lstm_layer *layer, bool training);

/**
 * Packs the weights for the following forwards and, in training mode, for their
 * backwards.
 *
 * Call it after you have written into weights of a layer that is used with tapes
 * (tape.h), and before forwards in several threads, so that they do not pack. The call
 * discards pending forwards, because their backward would mix old activations and new
 * weights.
 *
 * @param layer a layer
 * @retval LSTM_OK the weights were packed
 * @retval LSTM_INVALID_ARGUMENT layer is NULL
 * @retval LSTM_NOT_FINITE as lstm_layer_set_training(); nothing was changed
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the packed weights; nothing was
 *         changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_pack(lstm_layer *layer);

/**
 * Runs a batch of sequences through all layers.
 *
 * Sequences may have different lengths, as with torch.nn.utils.rnn.
 * pack_padded_sequence(enforce_sorted=False) and pad_packed_sequence(): out is 0 past
 * the end of a sequence, hn and cn are the states after its last step, the reverse
 * direction starts there, and x past the end is ignored. Steps past the end are not
 * computed and do not contribute to gradients.
 *
 * Truncated backpropagation: pass hn and cn of one part of a long sequence as h0 and c0
 * of the next. They may be the same two tensors in all calls, zeros at the start. A
 * backward after each forward goes back to the start of its part. Gradients continue
 * into the previous part only if dh0 and dc0 are passed as its dhn and dcn.
 *
 * With D = 2 when bidirectional, else 1, and S = P with projection, else H:
 *
 * @param layer a layer
 * @param tape tape of this layer that keeps the activations for backward; NULL: the
 *        layer's own. The call discards a pending forward of this tape.
 * @param x [N, T, I] with batch_first, else [T, N, I]; any N and T of at least 1. It is
 *        copied: the caller may change it before backward.
 * @param lengths [N] number of steps of each sequence, 1 to T, in any order; NULL: all
 *        T
 * @param h0 [L*D, N, S] first hidden state; NULL for zeros. The first step then leaves
 *        its product with weight_hh out: values in weight_hh that are not finite show
 *        from the second step on, where PyTorch has them in the first one, too
 * @param c0 [L*D, N, H] first cell state; NULL for zeros
 * @param[out] out [N, T, D*S] or [T, N, D*S], h of the last layer at every step; NULL
 *        when not wanted
 * @param[out] hn [L*D, N, S] last hidden state of every layer; NULL when not wanted;
 *        may be the same tensor as h0. The order is PyTorch's: layer 0 forward, layer 0
 *        reverse, layer 1 forward, ...
 * @param[out] cn [L*D, N, H] last cell state of every layer; NULL when not wanted; may
 *        be the same tensor as c0
 * @retval LSTM_OK the outputs were written
 * @retval LSTM_INVALID_ARGUMENT layer or x is NULL, a length is out of range (the
 *         message names it and its row), or tape belongs to another layer; nothing was
 *         written
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_NOT_FINITE as lstm_layer_set_training(); nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory for this N and T; nothing was written,
 *         but a pending forward of the tape is discarded
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_forward(lstm_layer *layer, lstm_tape *tape, const lstm_tensor *x,
                               const size_t *lengths, const lstm_tensor *h0,
                               const lstm_tensor *c0, lstm_tensor *out, lstm_tensor *hn,
                               lstm_tensor *cn);

/**
 * Runs the backward pass of a forward: full backpropagation through time.
 *
 * The gradients of the parameters are added to their previous values
 * (lstm_params_zero_grad() zeroes them); dx, dh0 and dc0 are overwritten. dout past the
 * end of a sequence is ignored, and dx is 0 there. Each forward in training mode allows
 * one backward.
 *
 * @param layer a layer in training mode
 * @param tape the tape of the forward; NULL for the layer's own
 * @param dout gradient of out, in its shape; NULL for zeros
 * @param dhn gradient of hn, in its shape; NULL for zeros
 * @param dcn gradient of cn, in its shape; NULL for zeros
 * @param[out] dx gradient of x, in its shape; NULL when not wanted, which saves a
 *        product
 * @param[out] dh0 gradient of h0, in its shape; NULL when not wanted; may be the same
 *        tensor as dhn
 * @param[out] dc0 gradient of c0, in its shape; NULL when not wanted; may be the same
 *        tensor as dcn
 * @retval LSTM_OK the gradients were written; the forward is no longer pending
 * @retval LSTM_INVALID_ARGUMENT layer is NULL, or tape belongs to another layer
 * @retval LSTM_UNSUPPORTED the precision is LSTM_INT8
 * @retval LSTM_INVALID_STATE no forward in training mode is pending on the tape, or the
 *         weights have changed since (by Adam, a file, lstm_layer_set_weights(),
 *         lstm_layer_pack() or a switch to evaluation); nothing was written
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_backward(lstm_layer *layer, lstm_tape *tape,
                                const lstm_tensor *dout, const lstm_tensor *dhn,
                                const lstm_tensor *dcn, lstm_tensor *dx,
                                lstm_tensor *dh0, lstm_tensor *dc0);

/**
 * Copies the gates of a pending forward.
 *
 * They are the activated gates i, f, g, o of each step, in the caller's order of time
 * for both directions, and 0 past the end of a sequence.
 *
 * @param layer a layer
 * @param tape the tape of the forward; NULL for the layer's own
 * @param index which layer, 0 to L - 1
 * @param direction 0 forward, 1 reverse
 * @param[out] gates [N, T, 4*H] with batch_first, else [T, N, 4*H]
 * @retval LSTM_OK the gates were written
 * @retval LSTM_INVALID_ARGUMENT layer or gates is NULL, index or direction is out of
 *         range, or tape belongs to another layer
 * @retval LSTM_INVALID_STATE as lstm_layer_backward()
 * @retval LSTM_SHAPE_MISMATCH the shape of gates is not as above; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_gates(const lstm_layer *layer, const lstm_tape *tape,
                             size_t index, size_t direction, lstm_tensor *gates);

/**
 * Size of the memory that forward and backward of a batch use, without the weights.
 *
 * A forward without a tape allocates exactly this size if its batch is larger than all
 * earlier ones. In evaluation the size does not grow with the steps above 16, unless
 * the layer is bidirectional. It does not include the packed copies of the weights,
 * which belong to the layer: they are about as large as the weights, in training twice
 * as large. In training, the caller's tapes allocate less, because their backward uses
 * memory of the layer.
 *
 * @param layer a layer
 * @param training true for training, false for evaluation
 * @param batch N, number of sequences
 * @param steps T, number of steps
 * @return bytes; 0 when layer is NULL or a size is 0; SIZE_MAX when no memory is that
 *         large
 * @since 1.0
 */
LSTM_API
size_t lstm_layer_workspace_size(const lstm_layer *layer, bool training, size_t batch,
                                 size_t steps);

/**
 * Sets the memory for forwards with a tape and for their backwards.
 *
 * This call allocates the packed copies of the weights; those for backward are
 * allocated here in training mode, else when lstm_layer_set_training() switches to it.
 * After that, no forward or backward with this tape allocates memory. A forward that
 * needs more than size bytes fails.
 *
 * @param layer a layer
 * @param tape a tape of this layer; NULL for the layer's own. The call discards its
 *        pending forward.
 * @param memory aligned to 64 bytes; it MUST stay valid until the tape is destroyed or
 *        another call sets its memory; NULL: the library allocates memory again
 * @param size bytes, see lstm_layer_workspace_size()
 * @retval LSTM_OK the memory was set
 * @retval LSTM_INVALID_ARGUMENT layer is NULL, memory is not aligned, or tape belongs
 *         to another layer
 * @retval LSTM_OUT_OF_MEMORY not enough memory for the packed weights; nothing was
 *         changed
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_set_workspace(lstm_layer *layer, lstm_tape *tape, void *memory,
                                     size_t size);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
