#include <stdio.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/digits/scores.h"
#include "examples/predict/ordered.h"

/* Images that the network reads at once: with a step for each pixel, its outputs take
 * 28 times the memory. */
enum { BATCH = 32 };

static bool explain(char *why, size_t size)
{
    snprintf(why, size, "%s", lstm_last_error());
    return false;
}

/* The sizes of the linear layer; false with a reason. */
static bool read_classes(const finder *in, classifier_config *config)
{
    lstm_linear *fc = NULL;
    if (lstm_linear_read(&fc, in->file, "fc") != LSTM_OK)
        return explain(in->why, in->why_size);
    config->classes = lstm_linear_get_config(fc)->outputs;
    lstm_linear_destroy(&fc);
    return true;
}

static bool read_config(const finder *in, classifier_config *config)
{
    lstm_layer_config columns = {0};
    if (!rules_check_tensors(in->file, in->path, "lstm", false, in->why,
                             in->why_size) ||
        !rules_check_tensors(in->file, in->path, READING_COLUMNS_PREFIX, false, in->why,
                             in->why_size))
        return false;
    if (lstm_file_layer_config(in->file, "lstm", &config->layers) != LSTM_OK ||
        (config->order == READING_BOTH &&
         lstm_file_layer_config(in->file, READING_COLUMNS_PREFIX, &columns) != LSTM_OK))
        return explain(in->why, in->why_size);
    config->column_layers = columns.layers;
    /* The values come from the file, so no generator draws them. */
    config->layers.dropout = 0;
    return read_classes(in, config);
}

static bool read_values(const finder *in, classifier *network)
{
    const lstm_file_options options = {.allow_surplus = true};
    return (lstm_params_read(network->params, in->file, &options) == LSTM_OK &&
            classifier_set_training(network, false)) ||
           explain(in->why, in->why_size);
}

static void name_rest(const finder *in, reading order)
{
    char rest[1200];
    const char *columns = order == READING_BOTH ? READING_COLUMNS_PREFIX : NULL;
    if (find_rest(in, "lstm", columns, "fc", rest, sizeof(rest)) > 0)
        message_warning("%s: uses 'lstm'%s and 'fc', not used: %s", in->path,
                        columns ? ", 'columns'" : "", rest);
}

bool ordered_open(model *network, const finder *in)
{
    classifier_config config = {
        .order = network->order, .rows = MODEL_SIDE, .cols = MODEL_SIDE};
    if (!read_config(in, &config))
        return false;
    if (!classifier_create(&network->ordered, &config, NULL))
        return explain(in->why, in->why_size);
    if (!read_values(in, &network->ordered) ||
        !finite_check(network->ordered.params, in->path, in->why, in->why_size))
        return false;
    network->classes = config.classes;
    name_rest(in, config.order);
    return classifier_permute(&network->ordered, in->why, in->why_size) &&
           (classifier_batch_create(&network->batch, &network->ordered, BATCH) ||
            explain(in->why, in->why_size));
}

/* Reads the first count images of the batch. */
static bool forward(model *network, size_t count)
{
    classifier_batch part = {0};
    if (count == BATCH)
        return classifier_forward(&network->ordered, &network->batch);
    bool done =
        classifier_batch_narrow(&part, &network->ordered, &network->batch, 0, count) &&
        classifier_forward(&network->ordered, &part);
    classifier_batch_destroy(&part);
    return done;
}

static bool predict(model *network, const uint8_t *images, size_t count,
                    double *probabilities, char *why, size_t size)
{
    const float *logits = lstm_tensor_data(network->batch.logits);
    size_t classes = network->classes;
    scores_normalise(images, count * MODEL_PIXELS, lstm_tensor_data(network->batch.x));
    if (!forward(network, count))
        return explain(why, size);
    for (size_t i = 0; i < count; i++)
        if (!scores_softmax(logits + i * classes, classes,
                            probabilities + i * classes)) {
            snprintf(why, size, "the network computes a score that is not finite");
            return false;
        }
    return true;
}

bool ordered_predict(model *network, const uint8_t *images, size_t count,
                     double *probabilities, char *why, size_t size)
{
    for (size_t first = 0; first < count; first += BATCH) {
        size_t part = count - first < BATCH ? count - first : BATCH;
        if (!predict(network, images + first * MODEL_PIXELS, part,
                     probabilities + first * network->classes, why, size))
            return false;
    }
    return true;
}
