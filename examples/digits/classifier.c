#include <stdio.h>
#include <stdlib.h>

#include "examples/digits/classifier.h"

/* S, the size of h. */
static size_t state_size(const classifier *network)
{
    const lstm_layer_config *config = &network->config.layers;
    return config->proj_size ? config->proj_size : config->hidden;
}

static size_t directions(const classifier *network)
{
    return network->config.layers.bidirectional ? 2 : 1;
}

static size_t sides(const classifier *network)
{
    return network->config.order == READING_BOTH ? 2 : 1;
}

/* F, the inputs of the linear layer. */
static size_t features(const classifier *network)
{
    return state_size(network) * directions(network) * sides(network);
}

static bool uses_out(const classifier *network)
{
    return network->config.layers.bidirectional && sides(network) == 1;
}

static lstm_layer *layer_of(const classifier *network, size_t side)
{
    return side == 0 ? network->lstm : network->columns;
}

/* What the LSTM of a side reads. */
static reading order_of(const classifier *network, size_t side)
{
    reading order = network->config.order;
    return order != READING_BOTH ? order : side == 0 ? READING_ROWS : READING_COLUMNS;
}

static bool create_layer(lstm_layer **layer, const classifier *network, size_t side,
                         lstm_rng *rng)
{
    const classifier_config *config = &network->config;
    lstm_layer_config layers = config->layers;
    layers.inputs = reading_inputs(order_of(network, side), config->rows, config->cols);
    layers.batch_first = true;
    if (side == 1)
        layers.layers = config->column_layers;
    return lstm_layer_create(layer, &layers, rng) == LSTM_OK;
}

bool classifier_add(const classifier *network, lstm_params *params)
{
    return lstm_params_add_layer(params, "lstm", network->lstm) == LSTM_OK &&
           (!network->columns || lstm_params_add_layer(params, READING_COLUMNS_PREFIX,
                                                       network->columns) == LSTM_OK) &&
           lstm_params_add_linear(params, "fc", network->fc) == LSTM_OK;
}

bool classifier_create(classifier *network, const classifier_config *config,
                       lstm_rng *rng)
{
    *network = (classifier){.config = *config};
    const lstm_linear_config linear = {.inputs = features(network),
                                       .outputs = config->classes};
    if (create_layer(&network->lstm, network, 0, rng) &&
        (sides(network) == 1 || create_layer(&network->columns, network, 1, rng)) &&
        lstm_linear_create(&network->fc, &linear, rng) == LSTM_OK &&
        lstm_params_create(&network->params) == LSTM_OK &&
        classifier_add(network, network->params))
        return true;
    classifier_destroy(network);
    return false;
}

bool classifier_permute(classifier *network, char *why, size_t size)
{
    size_t count = network->config.rows * network->config.cols;
    if (network->config.order != READING_PERMUTED)
        return true;
    network->permutation = calloc(count, sizeof(*network->permutation));
    if (!network->permutation)
        snprintf(why, size, "no memory for the order of %zu pixels", count);
    else if (!reading_permutation(network->permutation, count))
        snprintf(why, size, "%s", lstm_last_error());
    else
        return true;
    return false;
}

void classifier_destroy(classifier *network)
{
    lstm_params_destroy(&network->params);
    lstm_linear_destroy(&network->fc);
    lstm_layer_destroy(&network->columns);
    lstm_layer_destroy(&network->lstm);
    free(network->permutation);
    network->permutation = NULL;
}

bool classifier_set_training(classifier *network, bool training)
{
    /* A layer of int8 is always in evaluation. */
    if (training && lstm_layer_get_config(network->lstm)->precision == LSTM_INT8)
        return true;
    return lstm_layer_set_training(network->lstm, training) == LSTM_OK &&
           (!network->columns ||
            lstm_layer_set_training(network->columns, training) == LSTM_OK);
}

static bool select_last(classifier_batch *batch, const classifier *network)
{
    const classifier_side *side = &batch->side[0];
    size_t axis = uses_out(network) ? 1 : 0;
    size_t last = lstm_tensor_extent(side->h, axis) - 1;
    return lstm_tensor_select(&batch->last, side->h, axis, last) == LSTM_OK &&
           lstm_tensor_select(&batch->dlast, side->dh, axis, last) == LSTM_OK;
}

/* The part of a direction of a side. */
static bool create_part(classifier_batch *batch, const classifier *network, size_t s,
                        size_t direction)
{
    classifier_part *part = &batch->part[batch->parts++];
    const classifier_side *side = &batch->side[s];
    size_t size = state_size(network), all = directions(network);
    size_t state = lstm_tensor_extent(side->h, 0) - all + direction;
    size_t start = (s * all + direction) * size;
    return lstm_tensor_select(&part->state, side->h, 0, state) == LSTM_OK &&
           lstm_tensor_select(&part->dstate, side->dh, 0, state) == LSTM_OK &&
           lstm_tensor_narrow(&part->input, batch->last, 1, start, size) == LSTM_OK &&
           lstm_tensor_narrow(&part->dinput, batch->dlast, 1, start, size) == LSTM_OK;
}

static bool create_parts(classifier_batch *batch, const classifier *network)
{
    bool done = true;
    for (size_t s = 0; s < sides(network); s++)
        for (size_t direction = 0; done && direction < directions(network); direction++)
            done = create_part(batch, network, s, direction);
    return done;
}

static bool create_side(classifier_batch *batch, const classifier *network, size_t s)
{
    classifier_side *side = &batch->side[s];
    const lstm_layer_config *config = lstm_layer_get_config(layer_of(network, s));
    size_t size = state_size(network);
    if (!reading_create(&side->in, batch->x, order_of(network, s)))
        return false;
    const size_t states[] = {config->layers * directions(network), batch->count, size};
    const size_t outputs[] = {batch->count, lstm_tensor_extent(side->in, 1), 2 * size};
    const size_t *h = uses_out(network) ? outputs : states;
    return lstm_tensor_create(&side->h, 3, h) == LSTM_OK &&
           lstm_tensor_create(&side->dh, 3, h) == LSTM_OK;
}

static bool narrow_side(classifier_batch *batch, const classifier *network,
                        const classifier_batch *of, size_t first, size_t s)
{
    classifier_side *side = &batch->side[s];
    const classifier_side *from = &of->side[s];
    size_t axis = uses_out(network) ? 0 : 1, count = batch->count;
    return lstm_tensor_narrow(&side->in, from->in, 0, first, count) == LSTM_OK &&
           lstm_tensor_narrow(&side->h, from->h, axis, first, count) == LSTM_OK &&
           lstm_tensor_narrow(&side->dh, from->dh, axis, first, count) == LSTM_OK;
}

static bool create_last(classifier_batch *batch, const classifier *network)
{
    const size_t inputs[] = {batch->count, features(network)};
    return sides(network) == 1
               ? select_last(batch, network)
               : lstm_tensor_create(&batch->last, 2, inputs) == LSTM_OK &&
                     lstm_tensor_create(&batch->dlast, 2, inputs) == LSTM_OK &&
                     create_parts(batch, network);
}

static bool narrow_last(classifier_batch *batch, const classifier *network,
                        const classifier_batch *of, size_t first)
{
    size_t count = batch->count;
    return sides(network) == 1
               ? select_last(batch, network)
               : lstm_tensor_narrow(&batch->last, of->last, 0, first, count) ==
                         LSTM_OK &&
                     lstm_tensor_narrow(&batch->dlast, of->dlast, 0, first, count) ==
                         LSTM_OK &&
                     create_parts(batch, network);
}

bool classifier_batch_create(classifier_batch *batch, const classifier *network,
                             size_t count)
{
    const classifier_config *config = &network->config;
    const size_t images[] = {count, config->rows, config->cols};
    const size_t scores[] = {count, config->classes};
    *batch = (classifier_batch){.count = count};
    if (lstm_tensor_create(&batch->x, 3, images) == LSTM_OK &&
        lstm_tensor_create(&batch->logits, 2, scores) == LSTM_OK &&
        lstm_tensor_create(&batch->dlogits, 2, scores) == LSTM_OK &&
        create_side(batch, network, 0) &&
        (sides(network) == 1 || create_side(batch, network, 1)) &&
        create_last(batch, network))
        return true;
    classifier_batch_destroy(batch);
    return false;
}

bool classifier_batch_narrow(classifier_batch *batch, const classifier *network,
                             const classifier_batch *of, size_t first, size_t count)
{
    *batch = (classifier_batch){.count = count};
    if (lstm_tensor_narrow(&batch->x, of->x, 0, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->logits, of->logits, 0, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->dlogits, of->dlogits, 0, first, count) == LSTM_OK &&
        narrow_side(batch, network, of, first, 0) &&
        (sides(network) == 1 || narrow_side(batch, network, of, first, 1)) &&
        narrow_last(batch, network, of, first))
        return true;
    classifier_batch_destroy(batch);
    return false;
}

void classifier_batch_destroy(classifier_batch *batch)
{
    /* Views before the tensors that they refer to. */
    for (size_t i = 0; i < CLASSIFIER_PARTS; i++) {
        classifier_part *part = &batch->part[i];
        lstm_tensor_destroy(&part->state);
        lstm_tensor_destroy(&part->dstate);
        lstm_tensor_destroy(&part->input);
        lstm_tensor_destroy(&part->dinput);
    }
    lstm_tensor_destroy(&batch->last);
    lstm_tensor_destroy(&batch->dlast);
    for (size_t s = 0; s < CLASSIFIER_SIDES; s++) {
        lstm_tensor_destroy(&batch->side[s].in);
        lstm_tensor_destroy(&batch->side[s].h);
        lstm_tensor_destroy(&batch->side[s].dh);
    }
    lstm_tensor_destroy(&batch->x);
    lstm_tensor_destroy(&batch->logits);
    lstm_tensor_destroy(&batch->dlogits);
}

static bool forward_side(const classifier *network, classifier_batch *batch, size_t s)
{
    classifier_side *side = &batch->side[s];
    bool out = uses_out(network);
    return lstm_layer_forward(layer_of(network, s), NULL, side->in, NULL, NULL, NULL,
                              out ? side->h : NULL, out ? NULL : side->h,
                              NULL) == LSTM_OK;
}

static bool backward_side(const classifier *network, classifier_batch *batch, size_t s)
{
    classifier_side *side = &batch->side[s];
    bool out = uses_out(network);
    return lstm_layer_backward(layer_of(network, s), NULL, out ? side->dh : NULL,
                               out ? NULL : side->dh, NULL, NULL, NULL,
                               NULL) == LSTM_OK;
}

/* Copies the last states to the inputs of the linear layer, or the gradients back. */
static bool join(classifier_batch *batch, bool back)
{
    bool done = true;
    for (size_t i = 0; done && i < batch->parts; i++) {
        classifier_part *part = &batch->part[i];
        done = (back ? lstm_tensor_copy(part->dstate, part->dinput)
                     : lstm_tensor_copy(part->input, part->state)) == LSTM_OK;
    }
    return done;
}

bool classifier_forward(classifier *network, classifier_batch *batch)
{
    const classifier_config *config = &network->config;
    if (network->permutation)
        reading_permute(network->permutation, config->rows * config->cols,
                        lstm_tensor_data(batch->x), batch->count,
                        lstm_tensor_data(batch->side[0].in));
    return forward_side(network, batch, 0) &&
           (sides(network) == 1 || forward_side(network, batch, 1)) &&
           join(batch, false) &&
           lstm_linear_forward(network->fc, batch->last, batch->logits) == LSTM_OK;
}

bool classifier_backward(classifier *network, classifier_batch *batch)
{
    return lstm_linear_backward(network->fc, batch->dlogits, batch->dlast) == LSTM_OK &&
           join(batch, true) && backward_side(network, batch, 0) &&
           (sides(network) == 1 || backward_side(network, batch, 1));
}

static size_t argmax(const float *scores, size_t count)
{
    size_t found = 0;
    for (size_t i = 1; i < count; i++)
        if (scores[i] > scores[found])
            found = i;
    return found;
}

size_t classifier_correct(const classifier_batch *batch, const int64_t *labels)
{
    size_t classes = lstm_tensor_extent(batch->logits, 1), correct = 0;
    const float *scores = lstm_tensor_data(batch->logits);
    for (size_t i = 0; i < batch->count; i++)
        correct += argmax(scores + i * classes, classes) == (size_t)labels[i];
    return correct;
}
