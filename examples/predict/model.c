#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/predict/model.h"

/* Sizes of a network; those of the experiment, unless a file has others. */
typedef struct sizes {
    size_t hidden, layers, classes;
} sizes;

static const sizes experiment = {128, 2, 10};
enum { LARGEST_HEADER = 1 << 20, MOST_LAYERS = 64, MOST_HIDDEN = 65536 };

/*
 * Finds "NAME": { ... "shape": [A, B] ... } in the header of a safetensors file. It is
 * a hint, not a check: whatever it finds, lstm_params_load() compares the whole file
 * with the network that is made of it, and says what is wrong.
 */
static bool find_shape(const char *header, const char *name, size_t *shape)
{
    char key[64];
    snprintf(key, sizeof(key), "\"%s\"", name);
    const char *entry = strstr(header, key);
    const char *end = entry ? strchr(entry, '}') : NULL;
    const char *found = entry ? strstr(entry, "\"shape\"") : NULL;
    unsigned long first, second;
    if (!found || !end || found > end ||
        sscanf(found, "\"shape\" : [ %lu , %lu ]", &first, &second) != 2)
        return false;
    shape[0] = first;
    shape[1] = second;
    return true;
}

static sizes sizes_in(const char *header, size_t file_size)
{
    sizes found = experiment;
    size_t shape[2];
    char name[64];
    if (!find_shape(header, "lstm.weight_hh_l0", shape) || shape[1] < 1 ||
        shape[1] > MOST_HIDDEN || shape[1] * shape[1] * 16 > file_size)
        return experiment;
    found.hidden = shape[1];
    found.layers = 0;
    do
        snprintf(name, sizeof(name), "lstm.weight_hh_l%zu", ++found.layers);
    while (found.layers < MOST_LAYERS && find_shape(header, name, shape));
    if (find_shape(header, "fc.weight", shape) && shape[0] >= 1 &&
        shape[0] <= MODEL_MOST_CLASSES)
        found.classes = shape[0];
    return found;
}

/* Sizes that a model file tells; the experiment's when it tells none. */
static sizes read_sizes(const char *path)
{
    uint8_t length[8];
    sizes found = experiment;
    FILE *file = fopen(path, "rb");
    if (!file)
        return found;
    uint64_t size = 0;
    if (fread(length, 1, sizeof(length), file) == sizeof(length))
        for (size_t i = sizeof(length); i-- > 0;)
            size = size << 8 | length[i];
    char *header = size && size <= LARGEST_HEADER ? calloc(size + 1, 1) : NULL;
    if (header && fread(header, 1, size, file) == size &&
        fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        found = sizes_in(header, end > 0 ? (size_t)end : 0);
    }
    free(header);
    fclose(file);
    return found;
}

static bool create(model *network, const sizes *size)
{
    const lstm_layer_config config = {.inputs = MODEL_SIDE,
                                      .hidden = size->hidden,
                                      .layers = size->layers,
                                      .batch_first = true};
    const size_t images[] = {MODEL_BATCH, MODEL_SIDE, MODEL_SIDE};
    const size_t states[] = {size->layers, MODEL_BATCH, size->hidden};
    const size_t scores[] = {MODEL_BATCH, size->classes};
    network->classes = size->classes;
    return lstm_layer_create(&network->lstm, &config, NULL) == LSTM_OK &&
           lstm_linear_create(&network->fc, size->hidden, size->classes, NULL) ==
               LSTM_OK &&
           lstm_params_create(&network->params) == LSTM_OK &&
           lstm_params_add_layer(network->params, "lstm", network->lstm) == LSTM_OK &&
           lstm_params_add_linear(network->params, "fc", network->fc) == LSTM_OK &&
           lstm_tensor_create(&network->x, 3, images) == LSTM_OK &&
           lstm_tensor_create(&network->hn, 3, states) == LSTM_OK &&
           lstm_tensor_create(&network->logits, 2, scores) == LSTM_OK;
}

bool model_open(model *network, const char *path)
{
    sizes size = read_sizes(path);
    *network = (model){0};
    if (create(network, &size) && lstm_params_load(network->params, path) == LSTM_OK &&
        lstm_layer_set_training(network->lstm, false) == LSTM_OK)
        return true;
    model_close(network);
    return false;
}

void model_close(model *network)
{
    lstm_tensor_destroy(&network->logits);
    lstm_tensor_destroy(&network->hn);
    lstm_tensor_destroy(&network->x);
    lstm_params_destroy(&network->params);
    lstm_linear_destroy(&network->fc);
    lstm_layer_destroy(&network->lstm);
}

/* As ToTensor() and Normalize((0.1307,), (0.3081,)). */
static void normalise(const uint8_t *bytes, size_t size, float *values)
{
    for (size_t i = 0; i < size; i++)
        values[i] = ((float)bytes[i] / 255.0f - 0.1307f) / 0.3081f;
}

static void softmax(const float *scores, size_t classes, double *probabilities)
{
    double largest = scores[0], sum = 0;
    for (size_t i = 1; i < classes; i++)
        largest = scores[i] > largest ? scores[i] : largest;
    for (size_t i = 0; i < classes; i++)
        sum += probabilities[i] = exp(scores[i] - largest);
    for (size_t i = 0; i < classes; i++)
        probabilities[i] /= sum;
}

/* Views of the first count samples of the batch. */
typedef struct views {
    lstm_tensor *x, *hn, *last, *logits;
} views;

static bool forward(model *network, size_t count, views *part)
{
    return lstm_tensor_narrow(&part->x, network->x, 0, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&part->hn, network->hn, 1, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&part->logits, network->logits, 0, 0, count) == LSTM_OK &&
           lstm_tensor_select(&part->last, part->hn, 0,
                              lstm_tensor_extent(part->hn, 0) - 1) == LSTM_OK &&
           lstm_layer_forward(network->lstm, part->x, NULL, NULL, NULL, part->hn,
                              NULL) == LSTM_OK &&
           lstm_linear_forward(network->fc, part->last, part->logits) == LSTM_OK;
}

bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities)
{
    views part = {0};
    normalise(images, count * MODEL_SIDE * MODEL_SIDE, lstm_tensor_data(network->x));
    bool done = forward(network, count, &part);
    const float *scores = lstm_tensor_data(network->logits);
    for (size_t i = 0; done && i < count; i++)
        softmax(scores + i * network->classes, network->classes,
                probabilities + i * network->classes);
    lstm_tensor_destroy(&part.last);
    lstm_tensor_destroy(&part.logits);
    lstm_tensor_destroy(&part.hn);
    lstm_tensor_destroy(&part.x);
    return done;
}
