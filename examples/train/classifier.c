#include "examples/train/classifier.h"

/* S, the size of h. */
static size_t state_size(const lstm_layer_config *config)
{
    return config->proj_size ? config->proj_size : config->hidden;
}

static bool uses_out(const classifier *network)
{
    return lstm_layer_get_config(network->lstm)->bidirectional;
}

bool classifier_create(classifier *network, const lstm_layer_config *config,
                       size_t classes, lstm_rng *rng)
{
    *network = (classifier){0};
    size_t width = state_size(config) * (config->bidirectional ? 2 : 1);
    if (lstm_layer_create(&network->lstm, config, rng) == LSTM_OK &&
        lstm_linear_create(&network->fc,
                           &(lstm_linear_config){.inputs = width, .outputs = classes},
                           rng) == LSTM_OK &&
        lstm_params_create(&network->params) == LSTM_OK &&
        lstm_params_add_layer(network->params, "lstm", network->lstm) == LSTM_OK &&
        lstm_params_add_linear(network->params, "fc", network->fc) == LSTM_OK)
        return true;
    classifier_destroy(network);
    return false;
}

void classifier_destroy(classifier *network)
{
    lstm_params_destroy(&network->params);
    lstm_linear_destroy(&network->fc);
    lstm_layer_destroy(&network->lstm);
}

static bool select_last(classifier_batch *batch, const classifier *network)
{
    size_t axis = uses_out(network) ? 1 : 0;
    size_t last = lstm_tensor_extent(batch->h, axis) - 1;
    return lstm_tensor_select(&batch->last, batch->h, axis, last) == LSTM_OK &&
           lstm_tensor_select(&batch->dlast, batch->dh, axis, last) == LSTM_OK;
}

bool classifier_batch_create(classifier_batch *batch, const classifier *network,
                             size_t count, size_t steps, size_t classes)
{
    const lstm_layer_config *config = lstm_layer_get_config(network->lstm);
    size_t size = state_size(config);
    const size_t images[] = {count, steps, config->inputs};
    const size_t states[] = {config->layers, count, size};
    const size_t outputs[] = {count, steps, 2 * size};
    const size_t *h = uses_out(network) ? outputs : states;
    const size_t scores[] = {count, classes};
    *batch = (classifier_batch){.count = count};
    if (lstm_tensor_create(&batch->x, 3, images) == LSTM_OK &&
        lstm_tensor_create(&batch->h, 3, h) == LSTM_OK &&
        lstm_tensor_create(&batch->dh, 3, h) == LSTM_OK &&
        lstm_tensor_create(&batch->logits, 2, scores) == LSTM_OK &&
        lstm_tensor_create(&batch->dlogits, 2, scores) == LSTM_OK &&
        select_last(batch, network))
        return true;
    classifier_batch_destroy(batch);
    return false;
}

bool classifier_batch_narrow(classifier_batch *batch, const classifier *network,
                             const classifier_batch *of, size_t first, size_t count)
{
    size_t axis = uses_out(network) ? 0 : 1;
    *batch = (classifier_batch){.count = count};
    if (lstm_tensor_narrow(&batch->x, of->x, 0, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->h, of->h, axis, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->dh, of->dh, axis, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->logits, of->logits, 0, first, count) == LSTM_OK &&
        lstm_tensor_narrow(&batch->dlogits, of->dlogits, 0, first, count) == LSTM_OK &&
        select_last(batch, network))
        return true;
    classifier_batch_destroy(batch);
    return false;
}

void classifier_batch_destroy(classifier_batch *batch)
{
    lstm_tensor_destroy(&batch->last);
    lstm_tensor_destroy(&batch->dlast);
    lstm_tensor_destroy(&batch->x);
    lstm_tensor_destroy(&batch->h);
    lstm_tensor_destroy(&batch->dh);
    lstm_tensor_destroy(&batch->logits);
    lstm_tensor_destroy(&batch->dlogits);
}

bool classifier_forward(classifier *network, classifier_batch *batch)
{
    bool out = uses_out(network);
    return lstm_layer_forward(network->lstm, NULL, batch->x, NULL, NULL, NULL,
                              out ? batch->h : NULL, out ? NULL : batch->h,
                              NULL) == LSTM_OK &&
           lstm_linear_forward(network->fc, batch->last, batch->logits) == LSTM_OK;
}

bool classifier_backward(classifier *network, classifier_batch *batch)
{
    bool out = uses_out(network);
    return lstm_linear_backward(network->fc, batch->dlogits, batch->dlast) == LSTM_OK &&
           lstm_layer_backward(network->lstm, NULL, out ? batch->dh : NULL,
                               out ? NULL : batch->dh, NULL, NULL, NULL,
                               NULL) == LSTM_OK;
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
