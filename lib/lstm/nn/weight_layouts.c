/*
 * Weights as arrays in the layouts of other frameworks: transposition, order of the
 * gates, biases.
 */
#include <string.h>

#include <lstm/weights.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* The properties of a layout. */
typedef struct {
    /** Weights are [inputs, outputs]. */
    bool transposed;
    /** bias_ih followed by bias_hh; otherwise one bias, their sum. */
    bool two_biases;
    bool projects;
    /** The gate at each position: 0 to 3 for i, f, g, o. */
    unsigned char gates[LSTM_GATES];
} layout_form;

static const layout_form forms[] = {
    [LSTM_LAYOUT_PYTORCH] = {false, true, true, {0, 1, 2, 3}},
    [LSTM_LAYOUT_KERAS] = {true, false, false, {0, 1, 2, 3}},
    [LSTM_LAYOUT_ONNX] = {false, true, false, {0, 3, 1, 2}},
    [LSTM_LAYOUT_ONEDNN] = {true, false, true, {0, 1, 2, 3}},
};

/* Copies between a matrix of the layer [gates * rows, columns] and an array: from in to
 * the matrix, or from the matrix to out if out is not NULL. */
static void copy_matrix(const layout_form *form, size_t gates, size_t rows,
                        size_t columns, float *matrix, const float *in, float *out)
{
    for (size_t gate = 0; gate < gates; gate++)
        for (size_t row = 0; row < rows; row++)
            for (size_t k = 0; k < columns; k++) {
                size_t line = gate * rows + row;
                float *value = matrix + (form->gates[gate] * rows + row) * columns + k;
                size_t index =
                    form->transposed ? k * gates * rows + line : line * columns + k;
                if (out)
                    out[index] = *value;
                else
                    *value = in[index];
            }
}

static lstm_status check(const lstm_layer *layer, size_t index, size_t direction,
                         lstm_layout layout, bool projection)
{
    if (!layer)
        return lstm_fail_null("weights", "layer");
    if (index >= layer->weights.config.layers)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "weights: index is %zu, expected 0 to %zu", index,
                         layer->weights.config.layers - 1);
    if (direction >= layer->weights.directions)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "weights: direction is %zu, expected 0 to %zu", direction,
                         layer->weights.directions - 1);
    if ((size_t)layout >= sizeof(forms) / sizeof(forms[0]))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "weights: unknown layout %d",
                         (int)layout);
    if (layer->weights.config.proj_size && !forms[layout].projects)
        return lstm_fail(
            LSTM_UNSUPPORTED,
            "weights: layer has a projection of %zu, which the layout does "
            "not support",
            layer->weights.config.proj_size);
    if (projection && !layer->weights.config.proj_size)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "weights: projection is not NULL, but the layer has none");
    return LSTM_OK;
}

static void set_bias(const lstm_layer *layer, const lstm_direction *to,
                     const layout_form *form, const float *bias)
{
    size_t gates = LSTM_GATES * layer->weights.config.hidden;
    if (layer->weights.config.no_bias)
        return;
    memset(lstm_direction_value(to, LSTM_BIAS_IH), 0, gates * sizeof(float));
    memset(lstm_direction_value(to, LSTM_BIAS_HH), 0, gates * sizeof(float));
    if (bias)
        copy_matrix(form, LSTM_GATES, layer->weights.config.hidden, 1,
                    lstm_direction_value(to, LSTM_BIAS_IH), bias, NULL);
    if (bias && form->two_biases)
        copy_matrix(form, LSTM_GATES, layer->weights.config.hidden, 1,
                    lstm_direction_value(to, LSTM_BIAS_HH), bias + gates, NULL);
}

static void get_bias(const lstm_layer *layer, const lstm_direction *from,
                     const layout_form *form, float *bias)
{
    size_t hidden = layer->weights.config.hidden, gates = LSTM_GATES * hidden;
    if (layer->weights.config.no_bias) {
        memset(bias, 0, (form->two_biases ? 2 : 1) * gates * sizeof(float));
        return;
    }
    float *ih = lstm_direction_value(from, LSTM_BIAS_IH),
          *hh = lstm_direction_value(from, LSTM_BIAS_HH);
    copy_matrix(form, LSTM_GATES, hidden, 1, ih, NULL, bias);
    if (form->two_biases) {
        copy_matrix(form, LSTM_GATES, hidden, 1, hh, NULL, bias + gates);
        return;
    }
    /* Layouts with one bias have the gates in the same order. The condition keeps the
     * sign of a zero. */
    for (size_t i = 0; i < gates; i++)
        if (hh[i] != 0)
            bias[i] += hh[i];
}

lstm_status lstm_layer_set_weights(lstm_layer *layer, size_t index, size_t direction,
                                   lstm_layout layout, const float *input,
                                   const float *recurrent, const float *bias,
                                   const float *projection)
{
    lstm_status status = check(layer, index, direction, layout, projection);
    if (status)
        return status;
    if (!input)
        return lstm_fail_null("weights", "input");
    if (!recurrent)
        return lstm_fail_null("weights", "recurrent");
    if (bias && layer->weights.config.no_bias)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "weights: bias is not NULL, but the layer has none");
    if (!projection && layer->weights.config.proj_size)
        return lstm_fail_null("weights", "projection");
    const lstm_direction *to =
        &layer->weights.direction[index * layer->weights.directions + direction];
    const layout_form *form = &forms[layout];
    size_t hidden = layer->weights.config.hidden;
    copy_matrix(form, LSTM_GATES, hidden, lstm_direction_inputs(to),
                lstm_direction_value(to, LSTM_WEIGHT_IH), input, NULL);
    copy_matrix(form, LSTM_GATES, hidden, layer->weights.state,
                lstm_direction_value(to, LSTM_WEIGHT_HH), recurrent, NULL);
    set_bias(layer, to, form, bias);
    if (projection)
        copy_matrix(form, 1, layer->weights.state, hidden,
                    lstm_direction_value(to, LSTM_WEIGHT_HR), projection, NULL);
    layer->weights.version++;
    return LSTM_OK;
}

lstm_status lstm_layer_get_weights(const lstm_layer *layer, size_t index,
                                   size_t direction, lstm_layout layout, float *input,
                                   float *recurrent, float *bias, float *projection)
{
    lstm_status status = check(layer, index, direction, layout, projection);
    if (status)
        return status;
    const lstm_direction *from =
        &layer->weights.direction[index * layer->weights.directions + direction];
    const layout_form *form = &forms[layout];
    size_t hidden = layer->weights.config.hidden;
    if (input)
        copy_matrix(form, LSTM_GATES, hidden, lstm_direction_inputs(from),
                    lstm_direction_value(from, LSTM_WEIGHT_IH), NULL, input);
    if (recurrent)
        copy_matrix(form, LSTM_GATES, hidden, layer->weights.state,
                    lstm_direction_value(from, LSTM_WEIGHT_HH), NULL, recurrent);
    if (bias)
        get_bias(layer, from, form, bias);
    if (projection)
        copy_matrix(form, 1, layer->weights.state, hidden,
                    lstm_direction_value(from, LSTM_WEIGHT_HR), NULL, projection);
    return LSTM_OK;
}
