#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/digits/scores.h"
#include "examples/predict/find.h"
#include "examples/predict/model.h"
#include "examples/predict/ordered.h"

static bool explain(char *why, size_t size)
{
    snprintf(why, size, "%s", lstm_last_error());
    return false;
}

static bool check_network(const finder *in, model *network, const char *lstm,
                          const char *head)
{
    lstm_params *params;
    bool done = lstm_params_create(&params) == LSTM_OK &&
                lstm_params_add_layer(params, lstm, network->lstm) == LSTM_OK &&
                lstm_params_add_linear(params, head, network->fc) == LSTM_OK;
    done = done ? finite_check(params, in->path, in->why, in->why_size)
                : explain(in->why, in->why_size);
    lstm_params_destroy(&params);
    return done;
}

static bool check_head(const finder *in, const model *network, const char *head)
{
    size_t inputs = lstm_linear_get_config(network->fc)->inputs;
    size_t expected = lstm_layer_output_size(network->lstm);
    if (inputs == expected)
        return true;
    snprintf(
        in->why, in->why_size,
        "%s: the linear layer '%s' has %zu inputs, expected %zu, the outputs of the "
        "LSTM",
        in->path, head, inputs, expected);
    return false;
}

static void name_rest(const finder *in, const char *lstm, const char *head)
{
    char rest[1200];
    if (find_rest(in, lstm, NULL, head, rest, sizeof(rest)) > 0)
        message_warning("%s: uses '%s' and '%s', not used: %s", in->path, lstm, head,
                        rest);
}

static bool read_head(const finder *in, model *network, const char *lstm,
                      const char *wanted)
{
    char *head = NULL;
    size_t size = lstm_layer_output_size(network->lstm);
    bool done = find_head(in, wanted, lstm, size, &head);
    if (done && lstm_linear_read(&network->fc, in->file, head) != LSTM_OK)
        done = explain(in->why, in->why_size);
    done =
        done && check_head(in, network, head) && check_network(in, network, lstm, head);
    if (done)
        name_rest(in, lstm, head);
    free(head);
    return done;
}

static bool reads_states(const finder *in)
{
    const char *output = lstm_file_metadata(in->file, "model.output");
    return output && strcmp(output, "states") == 0;
}

/* Finds out whether the LSTM begins with the last row. Its output of the last row would
 * then be that of its first step. */
static bool read_direction(const finder *in, model *network, const char *lstm)
{
    const char *reverse = lstm_file_metadata(in->file, "model.reverse");
    network->reverse = reverse && rules_contain(reverse, lstm);
    if (!network->reverse || reads_states(in))
        return true;
    snprintf(in->why, in->why_size,
             "%s: metadata model.reverse is '%.80s', expected model.output states with "
             "it",
             in->path, reverse);
    return false;
}

static bool read_network(const finder *in, model *network, const char *lstm,
                         const char *head)
{
    if (!find_lstm(in, &lstm, MODEL_SIDE) ||
        !rules_check_tensors(in->file, in->path, lstm, false, in->why, in->why_size) ||
        !read_direction(in, network, lstm))
        return false;
    if (lstm_layer_read(&network->lstm, in->file, lstm, NULL) != LSTM_OK ||
        lstm_layer_set_training(network->lstm, false) != LSTM_OK)
        return explain(in->why, in->why_size);
    return read_head(in, network, lstm, head);
}

static bool create_batch(model *network, bool states)
{
    bool joins = states && lstm_layer_get_config(network->lstm)->bidirectional;
    size_t width = lstm_layer_output_size(network->lstm);
    network->classes = lstm_linear_get_config(network->fc)->outputs;
    const size_t images[] = {MODEL_BATCH, MODEL_SIDE, MODEL_SIDE};
    const size_t outputs[] = {MODEL_BATCH, MODEL_SIDE, width};
    const size_t last[] = {MODEL_BATCH, width};
    const size_t logits[] = {MODEL_BATCH, network->classes};
    return lstm_tensor_create(&network->x, 3, images) == LSTM_OK &&
           lstm_tensor_create(&network->out, 3, outputs) == LSTM_OK &&
           (!joins || lstm_tensor_create(&network->last, 2, last) == LSTM_OK) &&
           lstm_tensor_create(&network->logits, 2, logits) == LSTM_OK;
}

static bool read_rows(const finder *in, model *network, const char *lstm,
                      const char *head)
{
    return read_network(in, network, lstm, head) &&
           (create_batch(network, reads_states(in)) || explain(in->why, in->why_size));
}

/* Whether no part is named: those of mnist-train have names of their own. */
static bool check_names(const finder *in, const model *network, const char *lstm,
                        const char *head)
{
    if (!lstm && !head)
        return true;
    snprintf(in->why, in->why_size,
             "%s: is a model of mnist-train --read %s, which --%s cannot change",
             in->path, reading_names[network->order], lstm ? "lstm" : "head");
    return false;
}

/* Those of mnist-train --read have the last output or states by their order. */
static bool check_keys(const finder *in, reading order)
{
    static const char *const last[] = {"steps", "last", NULL};
    static const rule ordered[] = {{READING_KEY, NULL},
                                   {"model.output", last},
                                   {"model.activation", rules_probabilities},
                                   {"model.samplerate", NULL},
                                   {NULL, NULL}};
    static const rule rows[] = {{"model.output", rules_forward_outputs},
                                {"model.reverse", NULL},
                                {"model.activation", rules_probabilities},
                                {"model.samplerate", NULL},
                                {NULL, NULL}};
    return rules_check_keys(in->file, in->path, order == READING_ROWS ? rows : ordered,
                            in->why, in->why_size);
}

bool model_open(model *network, const char *path, const char *lstm, const char *head,
                char *why, size_t size)
{
    finder in = {.path = path, .why = why, .why_size = size};
    if (lstm_file_open(&in.file, path) != LSTM_OK)
        return explain(why, size);
    bool done =
        reading_find(in.file, path, &network->order, why, size) &&
        check_keys(&in, network->order) &&
        (network->order == READING_ROWS
             ? read_rows(&in, network, lstm, head)
             : check_names(&in, network, lstm, head) && ordered_open(network, &in));
    lstm_file_destroy(&in.file);
    return done;
}

void model_close(model *network)
{
    lstm_tensor_destroy(&network->logits);
    lstm_tensor_destroy(&network->last);
    lstm_tensor_destroy(&network->out);
    lstm_tensor_destroy(&network->x);
    lstm_linear_destroy(&network->fc);
    lstm_layer_destroy(&network->lstm);
    classifier_batch_destroy(&network->batch);
    classifier_destroy(&network->ordered);
}

/* Views of the first count samples of the batch. */
typedef struct views {
    lstm_tensor *x, *out, *last, *logits, *time_x, *time_out;
} views;

/* The same memory with the first two axes swapped, [28, count, size]. */
static bool swap_axes(lstm_tensor **out, const lstm_tensor *from, size_t count)
{
    const ptrdiff_t size = (ptrdiff_t)lstm_tensor_extent(from, 2);
    const size_t shape[] = {MODEL_SIDE, count, (size_t)size};
    const ptrdiff_t strides[] = {size, MODEL_SIDE * size, 1};
    return lstm_tensor_wrap(out, lstm_tensor_data(from), 3, shape, strides) == LSTM_OK;
}

/* The output of the last step of each sequence, or room for the final states; with ends
 * the i-th has i + 1 steps. */
static bool select_last(lstm_tensor **last, const model *network,
                        const lstm_tensor *out, size_t count, const size_t *ends)
{
    const size_t width = lstm_tensor_extent(out, 2), shape[] = {count, width};
    if (network->last)
        return lstm_tensor_narrow(last, network->last, 0, 0, count) == LSTM_OK;
    const ptrdiff_t strides[] = {(ptrdiff_t)((MODEL_SIDE + 1) * width), 1};
    lstm_status status =
        ends ? lstm_tensor_wrap(last, lstm_tensor_data(out), 2, shape, strides)
             : lstm_tensor_select(last, out, 1, MODEL_SIDE - 1);
    return status == LSTM_OK;
}

static bool create_views(model *network, size_t count, const size_t *ends, views *v)
{
    return lstm_tensor_narrow(&v->x, network->x, 0, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&v->out, network->out, 0, 0, count) == LSTM_OK &&
           lstm_tensor_narrow(&v->logits, network->logits, 0, 0, count) == LSTM_OK &&
           select_last(&v->last, network, v->out, count, ends) &&
           swap_axes(&v->time_x, v->x, count) && swap_axes(&v->time_out, v->out, count);
}

/* Joins the final states: the reverse direction ends at the first step. */
static void join_states(const views *v, size_t count, const size_t *ends)
{
    const size_t width = lstm_tensor_extent(v->out, 2), size = width / 2;
    const float *out = lstm_tensor_data(v->out);
    float *last = lstm_tensor_data(v->last);
    for (size_t i = 0; i < count; i++, out += MODEL_SIDE * width, last += width) {
        size_t end = ends ? ends[i] - 1 : MODEL_SIDE - 1;
        memcpy(last, out + end * width, size * sizeof(*last));
        memcpy(last + size, out + size, size * sizeof(*last));
    }
}

static bool forward(model *network, size_t count, const size_t *ends, views *v)
{
    if (!create_views(network, count, ends, v))
        return false;
    bool batch_first = lstm_layer_get_config(network->lstm)->batch_first;
    if (lstm_layer_forward(network->lstm, NULL, batch_first ? v->x : v->time_x, ends,
                           NULL, NULL, batch_first ? v->out : v->time_out, NULL,
                           NULL) != LSTM_OK)
        return false;
    if (network->last)
        join_states(v, count, ends);
    return lstm_linear_forward(network->fc, v->last, v->logits) == LSTM_OK;
}

/* Classifies the first count samples of the batch. */
static bool predict(model *network, size_t count, const size_t *ends,
                    double *probabilities, char *why, size_t size)
{
    views v = {0};
    bool done = forward(network, count, ends, &v) || explain(why, size);
    const float *logits = lstm_tensor_data(network->logits);
    for (size_t i = 0; done && i < count; i++)
        if (!scores_softmax(logits + i * network->classes, network->classes,
                            probabilities + i * network->classes)) {
            snprintf(why, size, "the network computes a score that is not finite");
            done = false;
        }
    lstm_tensor *all[] = {v.time_x, v.time_out, v.last, v.logits, v.out, v.x};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        lstm_tensor_destroy(&all[i]);
    return done;
}

/* Puts the rows of each image of the batch in the opposite order. */
static void turn_rows(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++, x += MODEL_PIXELS)
        for (size_t k = 0; k < MODEL_PIXELS / 2; k++) {
            size_t row = k / MODEL_SIDE, column = k % MODEL_SIDE;
            float *other = x + (MODEL_SIDE - 1 - row) * MODEL_SIDE + column, one = x[k];
            x[k] = *other;
            *other = one;
        }
}

bool model_predict(model *network, const uint8_t *images, size_t count,
                   double *probabilities, char *why, size_t size)
{
    if (network->order != READING_ROWS)
        return ordered_predict(network, images, count, probabilities, why, size);
    scores_normalise(images, count * MODEL_PIXELS, lstm_tensor_data(network->x));
    if (network->reverse)
        turn_rows(lstm_tensor_data(network->x), count);
    return predict(network, count, NULL, probabilities, why, size);
}

bool model_predict_rows(model *network, const uint8_t *image, double *probabilities,
                        char *why, size_t size)
{
    size_t ends[MODEL_SIDE];
    float *x = lstm_tensor_data(network->x);
    for (size_t i = 0; i < MODEL_SIDE; i++) {
        ends[i] = i + 1;
        scores_normalise(image, MODEL_PIXELS, x + i * MODEL_PIXELS);
    }
    return predict(network, MODEL_SIDE, ends, probabilities, why, size);
}

static bool copy_gates(const model *network, float *gates)
{
    const lstm_layer_config *config = lstm_layer_get_config(network->lstm);
    size_t directions = config->bidirectional ? 2 : 1, values = 4 * config->hidden;
    bool first = config->batch_first, done = true;
    const size_t shape[] = {first ? 1 : MODEL_SIDE, first ? MODEL_SIDE : 1, values};
    for (size_t i = 0; done && i < config->layers * directions; i++) {
        lstm_tensor *to = NULL;
        done = lstm_tensor_wrap(&to, gates + i * MODEL_SIDE * values, 3, shape, NULL) ==
                   LSTM_OK &&
               lstm_layer_gates(network->lstm, NULL, i / directions, i % directions,
                                to) == LSTM_OK;
        lstm_tensor_destroy(&to);
    }
    return done;
}

bool model_gates(model *network, const uint8_t *image, float *gates, char *why,
                 size_t size)
{
    bool first = lstm_layer_get_config(network->lstm)->batch_first;
    const size_t shape[] = {first ? 1 : MODEL_SIDE, first ? MODEL_SIDE : 1, MODEL_SIDE};
    lstm_tensor *x = NULL;
    scores_normalise(image, MODEL_PIXELS, lstm_tensor_data(network->x));
    /* Training keeps the gates; layers that are read have no dropout. */
    bool done = (lstm_tensor_wrap(&x, lstm_tensor_data(network->x), 3, shape, NULL) ==
                     LSTM_OK &&
                 lstm_layer_set_training(network->lstm, true) == LSTM_OK &&
                 lstm_layer_forward(network->lstm, NULL, x, NULL, NULL, NULL, NULL,
                                    NULL, NULL) == LSTM_OK &&
                 copy_gates(network, gates) &&
                 lstm_layer_set_training(network->lstm, false) == LSTM_OK) ||
                explain(why, size);
    lstm_tensor_destroy(&x);
    return done;
}
