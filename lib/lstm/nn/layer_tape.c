/*
 * Tapes: creation, and the gates of a pending forward.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/arena.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* Lays out a tape and its arrays over memory, or with NULL only measures them. */
static size_t plan(const lstm_layer *layer, lstm_run *run, void *memory)
{
    size_t layers = layer->config.layers;
    lstm_arena arena = {memory, 0};
    lstm_arena_take(&arena, 1, sizeof(lstm_tape));
    run->at = lstm_arena_take(&arena, layers * layer->directions, sizeof(*run->at));
    run->y = lstm_arena_take(&arena, layers, sizeof(*run->y));
    run->mask = lstm_arena_take(&arena, layers, sizeof(*run->mask));
    return arena.used;
}

lstm_status lstm_tape_make(lstm_tape **out, const lstm_layer *layer, lstm_rng *rng,
                           bool own)
{
    lstm_run run = {0};
    lstm_tape *tape = common_alloc(plan(layer, &run, NULL), 1);
    *out = tape;
    if (!tape)
        return lstm_fail_memory("tape");
    *tape = (lstm_tape){.layer = layer, .own = own, .rng = rng};
    plan(layer, &tape->run, tape);
    return LSTM_OK;
}

lstm_status lstm_tape_create(lstm_tape **out, lstm_layer *layer, lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("tape", "out");
    *out = NULL;
    if (!layer)
        return lstm_fail_null("tape", "layer");
    if (layer->config.dropout > 0 && !rng)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tape: rng is NULL, but the layer has dropout %g",
                         layer->config.dropout);
    return lstm_tape_make(out, layer, rng, false);
}

void lstm_tape_destroy(lstm_tape **tape)
{
    if (!tape || !*tape)
        return;
    lstm_workspace_free(&(*tape)->workspace);
    common_free(*tape);
    *tape = NULL;
}

lstm_status lstm_tape_check(const lstm_layer *layer, const lstm_tape *tape)
{
    if (!tape || tape->layer == layer)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: tape belongs to another layer");
}

static lstm_status check_gates(const lstm_layer *layer, const lstm_tape *tape,
                               size_t index, size_t direction, const lstm_tensor *gates)
{
    if (index >= layer->config.layers)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: index is %zu, expected 0 to %zu", index,
                         layer->config.layers - 1);
    if (direction >= layer->directions)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: direction is %zu, expected 0 to %zu", direction,
                         layer->directions - 1);
    if (!tape->pending)
        return lstm_fail(LSTM_INVALID_STATE,
                         "layer: no pending forward in training mode");
    size_t shape[3] = {tape->run.steps, tape->run.batch,
                       LSTM_GATES * layer->config.hidden};
    if (layer->config.batch_first) {
        shape[0] = tape->run.batch;
        shape[1] = tape->run.steps;
    }
    return lstm_tensor_expect(gates, "layer", "gates", 3, shape);
}

/* The gates of one row, in the caller's order of time; past its end nothing. */
static void row_out(const lstm_layer *layer, const lstm_run *run, const float *from,
                    size_t row, bool reverse, lstm_tensor *gates)
{
    size_t axis = layer->config.batch_first ? 1 : 0, length = run->lengths[row];
    const lstm_part part = {.copy_start = row, .copy_end = row + 1};
    ptrdiff_t step = gates->strides[axis];
    float *to = gates->data + (reverse ? (ptrdiff_t)(length - 1) * step : 0);
    lstm_copy_out(run, &part, from, 0, length, LSTM_GATES, layer->config.hidden, false,
                  to, reverse ? -step : step, gates->strides[1 - axis],
                  gates->strides[2]);
}

lstm_status lstm_layer_gates(const lstm_layer *layer, const lstm_tape *tape,
                             size_t index, size_t direction, lstm_tensor *gates)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if (!gates)
        return lstm_fail_null("layer", "gates");
    lstm_status status = lstm_tape_check(layer, tape);
    tape = tape ? tape : layer->tape;
    if (!status)
        status = check_gates(layer, tape, index, direction, gates);
    if (!status)
        status = lstm_tensor_fill(gates, 0);
    if (status)
        return status;
    const lstm_run *run = &tape->run;
    const float *from = run->at[index * layer->directions + direction].gates;
    for (size_t row = 0; row < run->batch; row++)
        row_out(layer, run, from, row, direction == 1, gates);
    return LSTM_OK;
}
