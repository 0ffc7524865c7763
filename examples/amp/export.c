#include <stdio.h>
#include <stdlib.h>

#include "examples/amp/export.h"
#include "examples/common/message.h"
#include "examples/common/output.h"

/* The weights of one layer of the LSTM. */
typedef struct weights {
    float *input, *recurrent, *bias;
} weights;

/* A model that is being written. */
typedef struct writer {
    const export_model *model;
    FILE *stream;
    size_t hidden, layers;
} writer;

bool export_check(const export_model *model, amp_format format, const char *path)
{
    if (format == AMP_NAM && model->skip)
        return message_error("%s: the model adds its input to its output, which .nam "
                             "files cannot say: train it with --no-skip",
                             path);
    if (format != AMP_AIDAX && (model->in_gain != 0 || model->out_gain != 0))
        return message_error("%s: the model has gains (model.in_gain, model.out_gain), "
                             "which only the format aidax has",
                             path);
    if (format != AMP_AIDAX && model->activation)
        return message_error(
            "%s: the model has the activation %s, which only the format "
            "aidax has",
            path, model->activation);
    if (format != AMP_NAM && (model->h || model->c))
        return message_error("%s: the model has first states (h0, c0), which only the "
                             "format nam has",
                             path);
    return true;
}

static size_t inputs_of(const writer *w, size_t index)
{
    return index == 0 ? 1 : w->hidden;
}

static void free_weights(weights *of)
{
    free(of->input);
    free(of->recurrent);
    free(of->bias);
}

/* Reads the weights of a layer; free_weights() is needed in any case. */
static bool read_weights(const writer *w, size_t index, lstm_layout layout, weights *of)
{
    size_t gates = 4 * w->hidden;
    of->input = calloc(gates * inputs_of(w, index), sizeof(float));
    of->recurrent = calloc(gates * w->hidden, sizeof(float));
    of->bias = calloc(2 * gates, sizeof(float));
    if (!of->input || !of->recurrent || !of->bias)
        return message_error("no memory for the weights");
    return lstm_layer_get_weights(w->model->layer, index, 0, layout, of->input,
                                  of->recurrent, of->bias, NULL) == LSTM_OK ||
           message_error("%s", lstm_last_error());
}

/* Numbers with commas between them. */
static void write_numbers(FILE *stream, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s%.9g", i ? ", " : "", values ? (double)values[i] : 0.0);
}

static void write_vector(FILE *stream, const float *values, size_t count)
{
    putc('[', stream);
    write_numbers(stream, values, count);
    putc(']', stream);
}

static void write_matrix(FILE *stream, const float *values, size_t rows, size_t columns)
{
    putc('[', stream);
    for (size_t row = 0; row < rows; row++) {
        fputs(row ? ",\n " : "", stream);
        write_vector(stream, values + row * columns, columns);
    }
    putc(']', stream);
}

/* One array: for each layer the rows of both weights side by side, the sum of both
 * biases and the first states; then the head. */
static bool write_nam_layer(const writer *w, size_t index)
{
    weights of;
    size_t inputs = inputs_of(w, index), hidden = w->hidden;
    const export_model *m = w->model;
    bool done = read_weights(w, index, LSTM_LAYOUT_KERAS, &of);
    for (size_t row = 0; done && row < 4 * hidden; row++) {
        /* Keras has rows of weights as columns. */
        for (size_t i = 0; i < inputs; i++)
            fprintf(w->stream, "%.9g, ", (double)of.input[i * 4 * hidden + row]);
        for (size_t i = 0; i < hidden; i++)
            fprintf(w->stream, "%.9g, ", (double)of.recurrent[i * 4 * hidden + row]);
        putc('\n', w->stream);
    }
    if (done) {
        write_numbers(w->stream, of.bias, 4 * hidden);
        fputs(",\n", w->stream);
        write_numbers(w->stream, m->h ? m->h + index * hidden : NULL, hidden);
        fputs(",\n", w->stream);
        write_numbers(w->stream, m->c ? m->c + index * hidden : NULL, hidden);
        fputs(",\n", w->stream);
    }
    free_weights(&of);
    return done;
}

static bool write_nam(const writer *w)
{
    bool done = true;
    fprintf(w->stream,
            "{\"version\": \"0.5.4\",\n\"architecture\": \"LSTM\",\n\"config\": "
            "{\"input_size\": 1, \"hidden_size\": %zu, \"num_layers\": %zu},\n",
            w->hidden, w->layers);
    if (w->model->rate > 0)
        fprintf(w->stream, "\"sample_rate\": %.17g,\n", w->model->rate);
    fputs("\"weights\": [", w->stream);
    for (size_t index = 0; done && index < w->layers; index++)
        done = write_nam_layer(w, index);
    write_numbers(w->stream, w->model->weight, w->hidden);
    fputs(",\n", w->stream);
    write_numbers(w->stream, w->model->bias, 1);
    fputs("]}\n", w->stream);
    return done;
}

static bool write_keras_layer(const writer *w, size_t index)
{
    weights of;
    size_t gates = 4 * w->hidden;
    bool done = read_weights(w, index, LSTM_LAYOUT_KERAS, &of);
    if (done) {
        fprintf(w->stream,
                "{\"type\": \"lstm\", \"activation\": \"\", \"shape\": [null, null, "
                "%zu],\n\"weights\": [",
                w->hidden);
        write_matrix(w->stream, of.input, inputs_of(w, index), gates);
        fputs(",\n", w->stream);
        write_matrix(w->stream, of.recurrent, w->hidden, gates);
        fputs(",\n", w->stream);
        write_vector(w->stream, of.bias, gates);
        fputs("]},\n", w->stream);
    }
    free_weights(&of);
    return done;
}

static bool write_aidax(const writer *w)
{
    const export_model *m = w->model;
    bool done = true;
    fprintf(w->stream,
            "{\"in_shape\": [null, null, 1], \"in_skip\": %d, \"in_gain\": %.17g, "
            "\"out_gain\": %.17g,\n",
            m->skip, m->in_gain, m->out_gain);
    if (m->rate > 0)
        fprintf(w->stream,
                "\"samplerate\": %.17g, \"metadata\": {\"samplerate\": %.17g},\n",
                m->rate, m->rate);
    fputs("\"layers\": [", w->stream);
    for (size_t index = 0; done && index < w->layers; index++)
        done = write_keras_layer(w, index);
    fprintf(
        w->stream,
        "{\"type\": \"dense\", \"activation\": \"%s\", \"shape\": [null, null, 1],\n"
        "\"weights\": [",
        m->activation ? m->activation : "");
    write_matrix(w->stream, m->weight, w->hidden, 1);
    fputs(",\n", w->stream);
    write_vector(w->stream, m->bias, 1);
    fputs("]}]}\n", w->stream);
    return done;
}

static bool write_torch_layer(const writer *w, size_t index)
{
    weights of;
    size_t gates = 4 * w->hidden;
    bool done = read_weights(w, index, LSTM_LAYOUT_PYTORCH, &of);
    if (done) {
        fprintf(w->stream, "\"rec.weight_ih_l%zu\": ", index);
        write_matrix(w->stream, of.input, gates, inputs_of(w, index));
        fprintf(w->stream, ",\n\"rec.weight_hh_l%zu\": ", index);
        write_matrix(w->stream, of.recurrent, gates, w->hidden);
        fprintf(w->stream, ",\n\"rec.bias_ih_l%zu\": ", index);
        write_vector(w->stream, of.bias, gates);
        fprintf(w->stream, ",\n\"rec.bias_hh_l%zu\": ", index);
        write_vector(w->stream, of.bias + gates, gates);
        fputs(",\n", w->stream);
    }
    free_weights(&of);
    return done;
}

static bool write_guitarml(const writer *w)
{
    const export_model *m = w->model;
    bool done = true;
    fprintf(w->stream,
            "{\"model_data\": {\"model\": \"SimpleRNN\", \"input_size\": 1, \"skip\": "
            "%d, \"output_size\": 1, \"unit_type\": \"LSTM\", \"num_layers\": %zu, "
            "\"hidden_size\": %zu, \"bias_fl\": true",
            m->skip, w->layers, w->hidden);
    if (m->rate > 0)
        fprintf(w->stream, ", \"sample_rate\": %.17g", m->rate);
    fputs("},\n\"state_dict\": {", w->stream);
    for (size_t index = 0; done && index < w->layers; index++)
        done = write_torch_layer(w, index);
    fputs("\"lin.weight\": ", w->stream);
    write_matrix(w->stream, m->weight, 1, w->hidden);
    fputs(",\n\"lin.bias\": ", w->stream);
    write_vector(w->stream, m->bias, 1);
    fputs("}}\n", w->stream);
    return done;
}

bool export_write(const export_model *model, amp_format format, const char *path)
{
    static bool (*const writers[])(const writer *) = {[AMP_NAM] = write_nam,
                                                      [AMP_AIDAX] = write_aidax,
                                                      [AMP_GUITARML] = write_guitarml};
    const lstm_layer_config *config = lstm_layer_get_config(model->layer);
    writer w = {.model = model,
                .hidden = config->hidden,
                .layers = config->layers ? config->layers : 1};
    output file;
    if (!output_open(&file, path))
        return false;
    w.stream = file.stream;
    if (writers[format](&w))
        return output_commit(&file);
    output_abandon(&file);
    return false;
}
