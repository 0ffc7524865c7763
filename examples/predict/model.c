#include <math.h>

#include "examples/predict/model.h"

/* A layer with the options of the file, without dropout, for images of this size. */
static bool create_layer(lstm_layer **out, lstm_file *file)
{
    lstm_layer_config config;
    if (lstm_file_layer_config(file, "lstm", &config) != LSTM_OK)
        return false;
    config.dropout = 0;
    config.inputs = MODEL_SIDE;
    config.batch_first = true;
    return lstm_layer_create(out, &config, NULL) == LSTM_OK;
}

/* Loads the whole file, so that tensors that do not belong to the network are an error.
 */
static bool read_network(model *network, lstm_file *file)
{
    return create_layer(&network->lstm, file) &&
           lstm_linear_read(&network->fc, file, "fc") == LSTM_OK &&
           lstm_params_create(&network->params) == LSTM_OK &&
           lstm_params_add_layer(network->params, "lstm", network->lstm) == LSTM_OK &&
           lstm_params_add_linear(network->params, "fc", network->fc) == LSTM_OK &&
           lstm_params_read(network->params, file, NULL) == LSTM_OK &&
           lstm_layer_set_training(network->lstm, false) == LSTM_OK;
}

static bool load(model *network, const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return false;
    bool done = read_network(network, file);
    lstm_file_destroy(&file);
    return done;
}

static bool create_batch(model *network)
{
    const lstm_layer_config *config = lstm_layer_get_config(network->lstm);
    size_t width = (config->proj_size ? config->proj_size : config->hidden) *
                   (config->bidirectional ? 2 : 1);
    network->classes = lstm_linear_get_config(network->fc)->outputs;
    const size_t images[] = {MODEL_BATCH, MODEL_SIDE, MODEL_SIDE};
    const size_t outputs[] = {MODEL_BATCH, MODEL_SIDE, width};
    const size_t logits[] = {MODEL_BATCH, network->classes};
    return lstm_tensor_create(&network->x, 3, images) == LSTM_OK &&
           lstm_tensor_create(&network->out, 3, outputs) == LSTM_OK &&
           lstm_tensor_create(&network->logits, 2, logits) == LSTM_OK;
}

bool model_open(model *network, const char *path)
{
    *network = (model){0};
    if (load(network, path) && create_batch(network))
        return true;
    model_close(network);
    return false;
}

void model_close(model *network)
{
    lstm_tensor_destroy(&network->logits);
    lstm_tensor_destroy(&network->out);
    lstm_tensor_destroy(&network->x);
    lstm_params_destroy(&network->params);
    lstm_linear_destroy(&network->fc);
    lstm_layer_destroy(&network->lstm);
}

/* Equals ToTensor() and Normalize((0.1307,), (0.3081,)) of torchvision. */
static void normalise(const uint8_t *bytes, size_t size, float *values)
{
    for (size_t i = 0; i < size; i++)
        values[i] = ((float)bytes[i] / 255.0f - 0.1307f) / 0.3081f;
}

static void softmax(const float *logits, size_t classes, double *probabilities)
{
    double largest = logits[0], sum = 0;
    for (size_t i = 1; i < classes; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    for (size_t i = 0; i < classes; i++)
        sum += probabilities[i] = exp(logits[i] - largest);
    for (size_t i = 0; i < classes; i++)
        probabilities[i] /= sum;
}

/* Views of the first count samples of the batch. */
typedef struct views {
    lstm_tensor *x, *out, *last, *logits;
} views;

static bool forward(model *network, size_t count, views *v)
{
    return lstm_tensor_narrow(&v->x, network->x, 0, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&v->out, network->out, 0, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&v->logits, network->logits, 0, 0, count) == LSTM_OK &&
           lstm_tensor_select(&v->last, v->out, 1, MODEL_SIDE - 1) == LSTM_OK &&
           lstm_layer_forward(network->lstm, NULL, v->x, NULL, NULL, NULL, v->out, NULL,
                              NULL) == LSTM_OK &&
           lstm_linear_forward(network->fc, v->last, v->logits) == LSTM_OK;
}

bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities)
{
    views v = {0};
    normalise(images, count * MODEL_SIDE * MODEL_SIDE, lstm_tensor_data(network->x));
    bool done = forward(network, count, &v);
    const float *logits = lstm_tensor_data(network->logits);
    for (size_t i = 0; done && i < count; i++)
        softmax(logits + i * network->classes, network->classes,
                probabilities + i * network->classes);
    lstm_tensor_destroy(&v.last);
    lstm_tensor_destroy(&v.logits);
    lstm_tensor_destroy(&v.out);
    lstm_tensor_destroy(&v.x);
    return done;
}
