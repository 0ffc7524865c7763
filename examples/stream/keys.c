#include "examples/stream/keys.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exits with a message about a key. */
static void fail_key(const char *path, const char *key, const char *text,
                     const char *expected)
{
    fprintf(stderr, "stream: %s: metadata %s is '%s', expected %s\n", path, key, text,
            expected);
    exit(EXIT_FAILURE);
}

static void read_scale(keys *k, const char *path, const lstm_file *file)
{
    const char *text = lstm_file_metadata(file, "scale");
    k->mean = 0;
    k->deviation = 1;
    if (text && !(sscanf(text, "%lf %lf", &k->mean, &k->deviation) == 2 &&
                  isfinite(k->mean) && isfinite(k->deviation) && k->deviation > 0))
        fail_key(path, "scale", text, "two numbers");
}

/* Factor of a gain in dB; 1 without the key. */
static double read_gain(const char *path, const lstm_file *file, const char *key)
{
    const char *text = lstm_file_metadata(file, key);
    if (!text)
        return 1;
    char *end;
    double gain = strtod(text, &end);
    if (end == text || *end || !isfinite(gain))
        fail_key(path, key, text, "a number");
    // The factor is a float.
    if (fabs(gain) > 700)
        fail_key(path, key, text, "-700 to 700");
    return pow(10, gain / 20);
}

static size_t read_skip(const char *path, const lstm_file *file, size_t most)
{
    const char *text = lstm_file_metadata(file, "model.skip");
    if (!text)
        return 0;
    char *end, expected[40];
    unsigned long skip = strtoul(text, &end, 10);
    snprintf(expected, sizeof(expected), "0 to %zu", most);
    if (strspn(text, "0123456789") != strlen(text) || end == text || skip > most)
        fail_key(path, "model.skip", text, expected);
    return skip;
}

static activation read_activation(const char *path, const lstm_file *file)
{
    static const char *const names[] = {"sigmoid", "tanh", "relu", "softmax",
                                        "log_softmax"};
    const char *text = lstm_file_metadata(file, "model.activation");
    if (!text)
        return ACTIVATION_NONE;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i]) == 0)
            return (activation)(i + 1);
    fail_key(path, "model.activation", text,
             "sigmoid, tanh, relu, softmax or log_softmax");
    return ACTIVATION_NONE;
}

void read_keys(keys *k, const char *path, const lstm_file *file, size_t most)
{
    read_scale(k, path, file);
    k->in_gain = read_gain(path, file, "model.in_gain");
    k->out_gain = read_gain(path, file, "model.out_gain");
    k->skip = read_skip(path, file, most);
    k->activation = read_activation(path, file);
    const char *reverse = lstm_file_metadata(file, "model.reverse");
    if (reverse && *reverse)
        fail_key(path, "model.reverse", reverse,
                 "no such key: a stream reads from the first step to the last");
}

float scale_input(const keys *k, double value)
{
    return (float)((value - k->mean) / k->deviation * k->in_gain);
}

static void log_softmax(float *values, size_t count)
{
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, (double)values[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp((double)values[i] - largest);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((double)values[i] - largest - log(sum));
}

static lstm_status activate(const keys *k, lstm_tensor *y)
{
    float *data = lstm_tensor_data(y);
    switch (k->activation) {
    case ACTIVATION_SIGMOID:
        return lstm_tensor_sigmoid(y, y);
    case ACTIVATION_SOFTMAX:
        return lstm_tensor_softmax(y, y);
    case ACTIVATION_TANH:
        for (size_t i = 0; i < lstm_tensor_count(y); i++)
            data[i] = tanhf(data[i]);
        break;
    case ACTIVATION_RELU:
        for (size_t i = 0; i < lstm_tensor_count(y); i++)
            data[i] = fmaxf(data[i], 0);
        break;
    case ACTIVATION_LOG_SOFTMAX:
        log_softmax(data, lstm_tensor_count(y));
        break;
    case ACTIVATION_NONE:
        break;
    }
    return LSTM_OK;
}

lstm_status finish_output(const keys *k, const lstm_tensor *x, lstm_tensor *y,
                          double *values)
{
    lstm_status status = activate(k, y);
    for (size_t i = 0; !status && i < lstm_tensor_count(y); i++) {
        double value = (double)lstm_tensor_data(y)[i];
        if (i < k->skip)
            value += (double)lstm_tensor_data(x)[i];
        values[i] = value * k->out_gain * k->deviation + k->mean;
    }
    return status;
}
