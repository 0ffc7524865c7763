/**
 * @file
 * The weights of a layer: parameters, and the panels that kernels read.
 *
 * Panels are packed copies of the parameters. A version counts the changes of the
 * parameters. If panels have another version, they are packed again before a forward or
 * backward reads them.
 */
#ifndef LSTM_NN_WEIGHTS_H
#define LSTM_NN_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include <lstm/layer.h>

#include "lib/lstm/core/lock.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/cell.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

/** Weights of one direction of one layer. */
typedef struct lstm_direction {
    /** NULL for parameters that the options exclude. */
    lstm_parameter *parameters[LSTM_CELL_PARAMETERS];
    /** The segments of channels of the input. */
    size_t x_segments, x_channels;
    /** Packed depth of the cell's panels: the channels of the input, then those of h.
     */
    size_t cell_depth;
    /** Panels for forward: the cell, its biases, the projection. */
    lstm_packed *cell;
    float *bias;
    lstm_packed *project;
    /** Scales of weight_ih and weight_hh in the layout of the biases, and of weight_hr;
     * NULL unless the weights are int8. */
    float *x_scales, *h_scales, *project_scales;
    /** Panels for backward: weight_hh, weight_ih, weight_hr. */
    lstm_packed *back_h, *back_x, *back_project;
} lstm_direction;

/** Parameters and panels of a stack of layers. */
typedef struct lstm_weights {
    lstm_layer_config config;
    /** D, and S, the size of h. */
    size_t directions, state;
    /** In PyTorch's order. */
    lstm_parameter *parameters;
    size_t parameter_count;
    /** Versions of the parameters and of the panels; 0 for panels that are not packed.
     */
    uint64_t version, packed, packed_back, packed_input;
    /** Held while packing, because forwards may start in several threads. */
    lstm_lock packing;
    /** [layers * directions]. */
    lstm_direction *direction;
    lstm_packed *panels, *back_panels;
    /** Number of elements of panels, and whether the kernels for training read them
     * instead of those for evaluation; see lstm_kernels.training. */
    size_t panels_size;
    bool wide;
} lstm_weights;

/** Creates the parameters of a checked config; all are zero. After a failure the caller
 * calls lstm_weights_destroy(), too. */
lstm_status lstm_weights_create(lstm_weights *weights, const lstm_layer_config *config);

/** Draws the parameters from rng; NULL leaves zeros. Allocates nothing, so a creation
 *  that fails for lack of memory has drawn nothing. */
lstm_status lstm_weights_draw(lstm_weights *weights, lstm_rng *rng);

void lstm_weights_destroy(lstm_weights *weights);

/** Kernels of the precision of the weights, for training or for evaluation. */
const lstm_kernels *lstm_weights_kernels(const lstm_weights *weights, bool training);

/** Packs the panels for forward, in training or in evaluation, if they are older than
 * the parameters or for the other mode, or if always is true. It allocates them where
 * they have no room. Several threads may call it at the same time in one mode. */
lstm_status lstm_weights_pack(lstm_weights *weights, bool training, bool always);

/** Packs the panels for backward if they are older than the parameters; those for the
 * gradient of the input of the layer only with dx. */
lstm_status lstm_weights_pack_backward(lstm_weights *weights, bool dx);

/** Starts a new version, because the caller may have written into the parameters, and
 * packs the panels for forward and, for training, those for backward without dx. A
 * failure changes nothing. */
lstm_status lstm_weights_repack(lstm_weights *weights, bool training);

/** Number of directions of all layers. */
static inline size_t lstm_weights_count(const lstm_weights *weights)
{
    return weights->config.layers * weights->directions;
}

/** Number of channels of the input of a direction. */
static inline size_t lstm_direction_inputs(const lstm_direction *direction)
{
    return direction->x_segments * direction->x_channels;
}

static inline size_t lstm_direction_blocks(const lstm_direction *direction)
{
    return direction->x_segments * lstm_blocks(direction->x_channels);
}

/** Values and gradients of a parameter; NULL if the options exclude it. */
static inline float *lstm_direction_value(const lstm_direction *direction,
                                          lstm_cell_parameter parameter)
{
    const lstm_parameter *of = direction->parameters[parameter];
    return of ? of->value->data : NULL;
}

static inline float *lstm_direction_grad(const lstm_direction *direction,
                                         lstm_cell_parameter parameter)
{
    const lstm_parameter *of = direction->parameters[parameter];
    return of ? of->grad->data : NULL;
}

#endif
