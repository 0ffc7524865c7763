#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/rules.h"
#include "examples/stream/keys.h"

/* A file whose keys are read. */
typedef struct source {
    const char *path;
    const lstm_file *file;
} source;

static bool refuse(const source *from, const char *key, const char *text,
                   const char *expected)
{
    return message_error("%s: metadata %s is '%s', expected %s", from->path, key, text,
                         expected);
}

/* Parses two numbers with blanks between them. */
static bool two_numbers(const char *text, double *first, double *second)
{
    enum { ROOM = 64 };
    char one[ROOM], other[ROOM];
    int end = 0;
    return sscanf(text, "%63s %63s %n", one, other, &end) == 2 && text[end] == '\0' &&
           number_real(one, first) && number_real(other, second);
}

static bool read_scale(model_keys *keys, const source *from)
{
    const char *text = lstm_file_metadata(from->file, "scale");
    keys->mean = 0;
    keys->deviation = 1;
    if (!text ||
        (two_numbers(text, &keys->mean, &keys->deviation) && keys->deviation > 0))
        return true;
    return refuse(from, "scale", text, "two numbers, the second above 0");
}

/* Reads a number from low to high, if the file has the key. */
static bool read_number(const source *from, const char *key, double low, double high,
                        const char *expected, double *number)
{
    const char *text = lstm_file_metadata(from->file, key);
    if (!text || (number_real(text, number) && *number >= low && *number <= high))
        return true;
    return refuse(from, key, text, expected);
}

/* Reads the factor of a gain in dB; 1 without the key. The factor is a float32. */
static bool read_gain(const source *from, const char *key, double *factor)
{
    double gain = 0;
    bool valid = read_number(from, key, -700, 700, "a number from -700 to 700", &gain);
    *factor = pow(10, gain / 20);
    return valid;
}

static bool read_skip(model_keys *keys, const source *from, size_t most)
{
    const char *text = lstm_file_metadata(from->file, "model.skip");
    uint64_t skip = 0;
    char expected[40];
    snprintf(expected, sizeof(expected), "0 to %zu", most);
    if (text && !(number_count(text, &skip) && skip <= most))
        return refuse(from, "model.skip", text, expected);
    keys->skip = (size_t)skip;
    return true;
}

static bool read_activation(model_keys *keys, const source *from)
{
    static const char *const names[] = {"sigmoid", "tanh", "relu", "softmax",
                                        "log_softmax"};
    const char *text = lstm_file_metadata(from->file, "model.activation");
    keys->activation = ACTIVATION_NONE;
    if (!text)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i]) == 0) {
            keys->activation = (activation)(i + 1);
            return true;
        }
    return refuse(from, "model.activation", text,
                  "sigmoid, tanh, relu, softmax or log_softmax");
}

/* Refuses models whose steps are not those of a stream. */
static bool check_order(const source *from, const char *prefix)
{
    const char *reverse = lstm_file_metadata(from->file, "model.reverse");
    const char *output = lstm_file_metadata(from->file, "model.output");
    if (reverse && rules_contain(reverse, prefix))
        return refuse(from, "model.reverse", reverse,
                      "other prefixes: a stream reads from the first step to the last");
    if (!output || strcmp(output, "steps") == 0 || strcmp(output, "last") == 0 ||
        strcmp(output, "states") == 0)
        return true;
    return refuse(from, "model.output", output,
                  "steps, last or states: a stream reads from the first step to the "
                  "last");
}

/* Refuses keys that a stream does not apply. */
static bool check_names(const source *from)
{
    static const rule rules[] = {{"scale", NULL},
                                 {"model.activation", NULL},
                                 {"model.in_gain", NULL},
                                 {"model.out_gain", NULL},
                                 {"model.output", NULL},
                                 {"model.reverse", NULL},
                                 {"model.skip", NULL},
                                 {"model.samplerate", NULL},
                                 {"model.differences", NULL},
                                 {NULL, NULL}};
    char why[600];
    return rules_check_keys(from->file, from->path, rules, why, sizeof(why)) ||
           message_error("%s", why);
}

static bool read_differences(model_keys *keys, const source *from, size_t most)
{
    const char *text = lstm_file_metadata(from->file, "model.differences");
    keys->differences = text;
    if (!text || (strcmp(text, "1") == 0 && most == 1))
        return true;
    return refuse(from, "model.differences", text,
                  "1, in a model of one input and one output");
}

bool keys_read(model_keys *keys, const char *path, const lstm_file *file,
               const char *prefix, size_t most)
{
    const source from = {path, file};
    double rate = 0;
    return check_names(&from) && read_scale(keys, &from) &&
           read_gain(&from, "model.in_gain", &keys->in_gain) &&
           read_gain(&from, "model.out_gain", &keys->out_gain) &&
           read_skip(keys, &from, most) && read_activation(keys, &from) &&
           read_differences(keys, &from, most) &&
           read_number(&from, "model.samplerate", 0, 1e300, "a number of at least 0",
                       &rate) &&
           check_order(&from, prefix);
}

float keys_scale_input(const model_keys *keys, double value)
{
    return (float)((value - keys->mean) / keys->deviation * keys->in_gain);
}

int keys_digits(const model_keys *keys)
{
    /* float32 needs 9 digits, double needs 17. */
    double ratio = fabs(keys->mean) / (keys->deviation * keys->out_gain);
    double more = ratio > 1 ? ceil(log10(ratio)) : 0;
    if (keys->differences)
        return 15;
    return 9 + (int)fmin(more, 8);
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

static lstm_status activate(const model_keys *keys, lstm_tensor *y)
{
    float *data = lstm_tensor_data(y);
    switch (keys->activation) {
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
            data[i] = data[i] < 0 ? 0 : data[i];
        break;
    case ACTIVATION_LOG_SOFTMAX:
        log_softmax(data, lstm_tensor_count(y));
        break;
    case ACTIVATION_NONE:
        break;
    }
    return LSTM_OK;
}

lstm_status keys_finish_output(const model_keys *keys, const lstm_tensor *x,
                               lstm_tensor *y, double *values)
{
    lstm_status status = activate(keys, y);
    for (size_t i = 0; !status && i < lstm_tensor_count(y); i++) {
        double value = (double)lstm_tensor_data(y)[i];
        if (i < keys->skip)
            value += (double)lstm_tensor_data(x)[i];
        values[i] = value * keys->out_gain * keys->deviation + keys->mean;
    }
    return status;
}
