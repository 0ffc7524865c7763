/*
 * Creation of tapes.
 */
#include "lib/lstm/nn/tape.h"

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/inference.h"

size_t lstm_tape_arrays(lstm_tape *tape, size_t layers, size_t directions, void *memory)
{
    lstm_arena arena = {memory, 0};
    lstm_arena_take(&arena, 1, sizeof(*tape));
    tape->at = lstm_arena_take(&arena, layers * directions, sizeof(*tape->at));
    tape->y = lstm_arena_take(&arena, layers, sizeof(*tape->y));
    tape->mask = lstm_arena_take(&arena, layers, sizeof(*tape->mask));
    return arena.used;
}

lstm_status lstm_tape_make(lstm_tape **out, const lstm_weights *weights, lstm_rng *rng,
                           bool own)
{
    lstm_tape sizes;
    size_t layers = weights->config.layers, directions = weights->directions;
    lstm_tape *tape =
        common_alloc_bytes(lstm_tape_arrays(&sizes, layers, directions, NULL));
    *out = tape;
    if (!tape)
        return lstm_fail_memory("tape");
    *tape = (lstm_tape){.weights = weights, .own = own, .rng = rng};
    lstm_tape_arrays(tape, layers, directions, tape);
    return LSTM_OK;
}

lstm_status lstm_tape_create(lstm_tape **out, lstm_layer *layer, lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("tape", "out");
    *out = NULL;
    if (!layer)
        return lstm_fail_null("tape", "layer");
    const lstm_weights *weights = lstm_layer_weights(layer);
    if (weights->config.dropout > 0 && !rng)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "tape: rng is NULL, but the layer has dropout %g",
                         weights->config.dropout);
    return lstm_tape_make(out, weights, rng, false);
}

void lstm_workspace_free(lstm_workspace *workspace)
{
    if (!workspace->from_caller)
        common_free(workspace->memory);
    *workspace = (lstm_workspace){0};
}

void lstm_tape_destroy(lstm_tape **tape)
{
    if (!tape || !*tape)
        return;
    lstm_workspace_free(&(*tape)->workspace);
    common_free(*tape);
    *tape = NULL;
}
