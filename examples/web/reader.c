#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <mnist/mnist.h>

#include "examples/common/rules.h"
#include "examples/predict/find.h"
#include "examples/web/reader.h"

static bool explain(reader *r)
{
    snprintf(r->why, sizeof(r->why), "%s", lstm_last_error());
    return false;
}

static bool read_head(reader *r, const finder *in, const char *lstm)
{
    char *head = NULL;
    bool done = find_head(in, NULL, lstm, lstm_layer_output_size(r->lstm), &head);
    if (done && lstm_linear_read(&r->fc, in->file, head) != LSTM_OK)
        done = explain(r);
    free(head);
    return done;
}

static bool read_network(reader *r, const finder *in)
{
    /* One direction, row by row; a softmax after the answer's own changes nothing. */
    static const rule rules[] = {{"model.output", rules_forward_outputs},
                                 {"model.activation", rules_probabilities},
                                 {"model.samplerate", NULL},
                                 {NULL, NULL}};
    const char *lstm = NULL;
    if (!rules_check_keys(in->file, in->path, rules, r->why, sizeof(r->why)) ||
        !find_lstm(in, &lstm, READER_SIDE) ||
        !rules_check_tensors(in->file, in->path, lstm, false, r->why, sizeof(r->why)))
        return false;
    if (lstm_layer_read(&r->lstm, in->file, lstm, NULL) != LSTM_OK ||
        lstm_layer_set_training(r->lstm, false) != LSTM_OK)
        return explain(r);
    return read_head(r, in, lstm);
}

/* Both directions would need all rows before the first answer. */
static bool check_network(reader *r)
{
    size_t classes = lstm_linear_get_config(r->fc)->outputs;
    if (lstm_layer_get_config(r->lstm)->bidirectional)
        snprintf(r->why, sizeof(r->why),
                 "model: reads in both directions, expected one direction, from the "
                 "first row to the last");
    else if (classes != READER_CLASSES)
        snprintf(r->why, sizeof(r->why), "model: has %zu classes, expected %d", classes,
                 READER_CLASSES);
    else
        return true;
    return false;
}

static bool create_tensors(reader *r)
{
    bool first = lstm_layer_get_config(r->lstm)->batch_first;
    size_t width = lstm_layer_output_size(r->lstm);
    const size_t steps = first ? 1 : READER_SIDE, batch = first ? READER_SIDE : 1;
    const size_t x[] = {steps, batch, READER_SIDE}, out[] = {steps, batch, width};
    const size_t rows[] = {READER_SIDE, width};
    const size_t logits[] = {READER_SIDE, READER_CLASSES};
    return lstm_tensor_create(&r->x, 3, x) == LSTM_OK &&
           lstm_tensor_create(&r->out, 3, out) == LSTM_OK &&
           lstm_tensor_wrap(&r->rows, lstm_tensor_data(r->out), 2, rows, NULL) ==
               LSTM_OK &&
           lstm_tensor_create(&r->logits, 2, logits) == LSTM_OK;
}

bool reader_open(reader *r, const void *bytes, size_t size)
{
    finder in = {.path = "model", .why = r->why, .why_size = sizeof(r->why)};
    if (lstm_file_open_bytes(&in.file, bytes, size) != LSTM_OK)
        return explain(r);
    bool done = read_network(r, &in) && check_network(r);
    lstm_file_destroy(&in.file);
    return done && (create_tensors(r) || explain(r));
}

void reader_close(reader *r)
{
    lstm_tensor_destroy(&r->logits);
    lstm_tensor_destroy(&r->rows);
    lstm_tensor_destroy(&r->out);
    lstm_tensor_destroy(&r->x);
    lstm_linear_destroy(&r->fc);
    lstm_layer_destroy(&r->lstm);
}

static bool softmax(const float *logits, double *probabilities)
{
    double largest = logits[0], sum = 0;
    for (size_t i = 0; i < READER_CLASSES; i++) {
        if (!isfinite(logits[i]))
            return false;
        largest = logits[i] > largest ? logits[i] : largest;
    }
    for (size_t i = 0; i < READER_CLASSES; i++)
        sum += probabilities[i] = exp(logits[i] - largest);
    for (size_t i = 0; i < READER_CLASSES; i++)
        probabilities[i] /= sum;
    return true;
}

static bool judge(reader *r)
{
    const float *logits = lstm_tensor_data(r->logits);
    for (size_t row = 0; row < READER_SIDE; row++) {
        if (softmax(logits + row * READER_CLASSES, r->probabilities[row]))
            continue;
        snprintf(r->why, sizeof(r->why),
                 "model: computes a score that is not finite in row %zu", row);
        return false;
    }
    return true;
}

/* Equals ToTensor() and Normalize((0.1307,), (0.3081,)) of torchvision. */
static bool forward(reader *r)
{
    float *x = lstm_tensor_data(r->x);
    for (size_t i = 0; i < READER_PIXELS; i++)
        x[i] = ((float)r->image[i] / 255.0f - 0.1307f) / 0.3081f;
    return (lstm_layer_forward(r->lstm, NULL, r->x, NULL, NULL, NULL, r->out, NULL,
                               NULL) == LSTM_OK &&
            lstm_linear_forward(r->fc, r->rows, r->logits) == LSTM_OK) ||
           explain(r);
}

reader_result reader_read(reader *r, const uint8_t *pixels, size_t rows, size_t cols)
{
    mnist_status status = mnist_image_fit(pixels, rows, cols, NULL, r->image);
    if (status == MNIST_BLANK)
        return READER_BLANK;
    if (status == MNIST_SEVERAL_DIGITS)
        return READER_SEVERAL_DIGITS;
    if (status == MNIST_OK)
        return forward(r) && judge(r) ? READER_ANSWER : READER_FAILED;
    snprintf(r->why, sizeof(r->why), "%s", mnist_last_error());
    return READER_FAILED;
}
