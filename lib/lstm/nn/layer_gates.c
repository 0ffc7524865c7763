/*
 * Copies the gates of a pending forward.
 */
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/copy.h"
#include "lib/lstm/nn/layer.h"

static lstm_status check_index(const char *name, size_t index, size_t count)
{
    if (index < count)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: %s is %zu, expected 0 to %zu", name,
                     index, count - 1);
}

static lstm_status check_gates(const lstm_weights *weights, const lstm_tape *tape,
                               const lstm_tensor *gates)
{
    lstm_status status = lstm_tape_check_pending(weights, tape);
    if (status)
        return status;
    size_t rows = tape->batch.blocked.rows, steps = tape->batch.steps;
    bool first = weights->config.batch_first;
    size_t shape[3] = {first ? rows : steps, first ? steps : rows,
                       LSTM_GATES * weights->config.hidden};
    return lstm_tensor_expect(gates, "layer", "gates", 3, shape);
}

/* Copies one row, in the caller's order of time. */
static void row_out(const lstm_tape *tape, const float *from, size_t row, bool reverse,
                    size_t hidden, lstm_sequence to)
{
    const lstm_range range = {.copy_start = row, .copy_end = row + 1};
    size_t length = tape->batch.lengths[row];
    if (reverse) {
        to.data += (ptrdiff_t)(length - 1) * to.step;
        to.step = -to.step;
    }
    lstm_copy_out(&tape->batch, &range, from, 0, length, LSTM_GATES, hidden, false, to);
}

static lstm_status copy_gates(const lstm_weights *weights, const lstm_tape *tape,
                              size_t index, size_t direction, lstm_tensor *gates)
{
    lstm_status status = check_index("index", index, weights->config.layers);
    if (!status)
        status = check_index("direction", direction, weights->directions);
    if (!status)
        status = check_gates(weights, tape, gates);
    if (!status)
        status = lstm_tensor_fill(gates, 0);
    if (status)
        return status;
    const float *from = tape->at[index * weights->directions + direction].gates;
    lstm_sequence to = lstm_sequence_of(gates, weights->config.batch_first);
    for (size_t row = 0; row < tape->batch.blocked.rows; row++)
        row_out(tape, from, row, direction == 1, weights->config.hidden, to);
    return LSTM_OK;
}

lstm_status lstm_layer_gates(const lstm_layer *layer, const lstm_tape *tape,
                             size_t index, size_t direction, lstm_tensor *gates)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if (!gates)
        return lstm_fail_null("layer", "gates");
    lstm_status status = lstm_layer_check_tape(layer, tape);
    if (status)
        return status;
    return copy_gates(&layer->weights, tape ? tape : layer->tape, index, direction,
                      gates);
}
