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

/** Number format of the products; everything else is float32 in each of them. */
typedef enum lstm_precision {
    /** float32 products. */
    LSTM_FLOAT32 = 0,
    /** Products of numbers that are rounded to bfloat16, 8 significant bits, and added
     *  up in float32: about twice as fast where the CPU has an instruction for it
     *  (AVX512_BF16), and slower than float32, with the same bits, where it has not.
     *  Weights, gradients, cell states and all that is done element by element stay
     *  float32; h is rounded where it comes out. Outputs and gradients differ from
     *  float32's by some 3e-3 of their size, see docs/numerics.md. */
    LSTM_BFLOAT16 = 1
} lstm_precision;

/** Options of a stack of LSTM layers. Zero is the default of each, sizes apart. */
typedef struct lstm_layer_config {
    /** I, number of inputs per step, at least 1. */
    size_t inputs;
    /** H, number of hidden units, at least 1. */
    size_t hidden;
    /** L, number of layers (default 0, which means 1). */
    size_t layers;
    /** P, size of a linear projection of h, less than H (default 0: none). */
    size_t proj_size;
    /** Probability that an output of a layer but the last is zeroed in training, 0 to 1
     *  (default 0). */
    double dropout;
    /** Leave the biases out (default false). */
    bool no_bias;
    /** x and out are [N, T, .] instead of [T, N, .] (default false). */
    bool batch_first;
    /** A second direction reads the sequence from its end (default false). */
    bool bidirectional;
    /** Number format of the products, of streams too (default LSTM_FLOAT32). */
    lstm_precision precision;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_layer_config;

/** A stack of LSTM layers: weights, gradients, and what the next backward needs. */
typedef struct lstm_layer lstm_layer;

/**
 * Creates a stack of layers with weights as torch.nn.LSTM draws them.
 *
 * Every parameter is uniform in [-1/sqrt(H), 1/sqrt(H)), in PyTorch's order: per layer
 * and direction weight_ih, weight_hh, bias_ih, bias_hh, weight_hr. The layer is in
 * training mode.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param config sizes and options, copied
 * @param rng where the weights are drawn from, and with dropout the masks of each
 *        forward: then it MUST outlive the layer. NULL leaves all weights at zero and
 *        is refused with dropout.
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out or config is NULL, or an option is out of range;
 * the message names it
 * @retval LSTM_OUT_OF_MEMORY no memory
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
 * Parameter sets that hold the layer (lstm_params_add_layer()) MUST be destroyed
 * before.
 *
 * @param layer address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_layer_destroy(lstm_layer **layer);

/** Options of a layer, as long as it lives; NULL for NULL. @since 1.0 */
LSTM_API
const lstm_layer_config *lstm_layer_get_config(const lstm_layer *layer);

/**
 * Switches between training and evaluation.
 *
 * Training (the state after creation) keeps what backward needs, reads the weights at
 * each forward and applies dropout. Evaluation keeps nothing, applies no dropout, and
 * reads the weights once, in this call, and at the first forward after Adam or a file
 * changed them: a caller who writes into weights calls this function again. After it
 * the layer is ready for streams (stream.h).
 *
 * @param layer a layer
 * @param training true for training, false for evaluation
 * @retval LSTM_OK switched; a forward that waited for its backward is forgotten
 * @retval LSTM_INVALID_ARGUMENT layer is NULL
 * @retval LSTM_OUT_OF_MEMORY no memory for the packed weights of evaluation; nothing
 *         was switched
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_set_training(lstm_layer *layer, bool training);

/**
 * Runs a batch of sequences through all layers.
 *
 * Truncated backpropagation: hn and cn of one chunk of a long sequence are h0 and c0 of
 * the next, and may be the same two tensors throughout, which start as zeros; a
 * backward after each forward goes back to the start of its chunk. No gradient passes
 * on unless dh0 and dc0 are handed to the chunk before.
 *
 * With D = 2 when bidirectional, else 1, and S = P with projection, else H:
 *
 * @param layer a layer
 * @param x [N, T, I] with batch_first, else [T, N, I]; any N and T of at least 1. It is
 *        copied: the caller may change it before backward.
 * @param h0 [L*D, N, S] first hidden state; NULL for zeros
 * @param c0 [L*D, N, H] first cell state; NULL for zeros
 * @param[out] out [N, T, D*S] or [T, N, D*S], h of the last layer at every step; NULL
 * when not wanted
 * @param[out] hn [L*D, N, S] last hidden state of every layer; NULL when not wanted;
 * may be the same tensor as h0
 * @param[out] cn [L*D, N, H] last cell state of every layer; NULL when not wanted; may
 * be the same tensor as c0
 * @retval LSTM_OK outputs are written
 * @retval LSTM_INVALID_ARGUMENT layer or x is NULL
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory for this N and T, which are larger than before;
 *         nothing was written; a forward that waited for its backward is forgotten
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_forward(lstm_layer *layer, const lstm_tensor *x,
                               const lstm_tensor *h0, const lstm_tensor *c0,
                               lstm_tensor *out, lstm_tensor *hn, lstm_tensor *cn);

/**
 * Runs a batch of sequences of different lengths, as lstm_layer_forward() otherwise.
 *
 * What torch.nn.utils.rnn.pack_padded_sequence(enforce_sorted=False), nn.LSTM and
 * pad_packed_sequence() do together: out is 0 past the end of a sequence, hn and cn are
 * those of its last step, the reverse direction starts there, and what x holds past the
 * end never matters. Time and gradients follow the steps there are, not T.
 *
 * @param layer a layer
 * @param x [N, T, I] with batch_first, else [T, N, I]
 * @param lengths [N] steps of each sequence, 1 to T, in any order
 * @param h0 as lstm_layer_forward(), like the rest
 * @param c0 ditto
 * @param[out] out ditto
 * @param[out] hn ditto
 * @param[out] cn ditto
 * @retval LSTM_OK outputs are written
 * @retval LSTM_INVALID_ARGUMENT layer, x or lengths is NULL, or a length is out of
 * range: the message names it and its row; nothing was written
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_forward_lengths(lstm_layer *layer, const lstm_tensor *x,
                                       const size_t *lengths, const lstm_tensor *h0,
                                       const lstm_tensor *c0, lstm_tensor *out,
                                       lstm_tensor *hn, lstm_tensor *cn);

/**
 * Propagates gradients back through the last forward: full backpropagation through
 * time.
 *
 * Gradients of the parameters are added to what they were (lstm_params_zero_grad()
 * zeroes them); dx, dh0 and dc0 are overwritten. Each forward in training mode allows
 * one backward.
 *
 * @param layer a layer in training mode whose last forward has not been used yet
 * @param dout gradient of out, in its shape; NULL for zeros
 * @param dhn gradient of hn, in its shape; NULL for zeros
 * @param dcn gradient of cn, in its shape; NULL for zeros
 * @param[out] dx gradient of x, in its shape; NULL when not wanted, which saves a
 * product
 * @param[out] dh0 gradient of h0, in its shape; NULL when not wanted
 * @param[out] dc0 gradient of c0, in its shape; NULL when not wanted
 * @retval LSTM_OK gradients are written
 * @retval LSTM_INVALID_ARGUMENT layer is NULL
 * @retval LSTM_INVALID_STATE no forward in training mode came before, or it has been
 * used
 * @retval LSTM_SHAPE_MISMATCH a shape is not as above; nothing was written
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was written
 * @since 1.0
 */
LSTM_API
lstm_status lstm_layer_backward(lstm_layer *layer, const lstm_tensor *dout,
                                const lstm_tensor *dhn, const lstm_tensor *dcn,
                                lstm_tensor *dx, lstm_tensor *dh0, lstm_tensor *dc0);

/**
 * How many bytes forward and backward of a batch work in, beside the weights.
 *
 * It is what the first forward of a larger batch than before allocates, exactly. In
 * evaluation it does not grow with the steps beyond a chunk of 16, unless the layer is
 * bidirectional. The packed copies of the weights, about as large as these (in training
 * twice that), are beside it: they belong to the layer, whatever the batch.
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
 * Gives a layer the memory that its forward and backward work in.
 *
 * The packed copies of the weights are allocated here, and those of training when
 * lstm_layer_set_training() switches to it; no other call on the layer allocates
 * anything from then on. A forward that needs more is refused.
 *
 * @param layer a layer; a forward that waited for its backward is forgotten
 * @param memory aligned to 64 bytes, of the caller's until the layer is destroyed or
 *        gets another; NULL goes back to memory of the layer's own
 * @param size bytes, see lstm_layer_workspace_size()
 * @retval LSTM_OK set
 * @retval LSTM_INVALID_ARGUMENT layer is NULL, or memory is not aligned
 * @retval LSTM_OUT_OF_MEMORY no memory for the packed weights; nothing was changed
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_set_workspace(lstm_layer *layer, void *memory, size_t size);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
