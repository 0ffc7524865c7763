/*
 * The memory of forward and backward. The library's memory grows, the caller's does
 * not.
 *
 * The memory of a tape contains the activations of a forward. For the layer's own tape,
 * and for memory of the caller, the scratch of the backward pass follows. Other tapes
 * use the scratch memory of their layer, so that a pending forward needs memory only
 * for its activations.
 */
#include <stdio.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"

/* Writes a number of bytes; SIZE_MAX stands for all that size_t cannot count. */
static const char *amount(char *text, size_t room, size_t size)
{
    if (size == SIZE_MAX)
        snprintf(text, room, "more bytes than addresses exist");
    else
        snprintf(text, room, "%zu bytes", size);
    return text;
}

static lstm_status reserve(lstm_workspace *workspace, const lstm_batch *batch,
                           size_t size)
{
    size_t rows = batch->blocked.rows;
    char text[48];
    if (size <= workspace->size)
        return LSTM_OK;
    if (workspace->from_caller)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: workspace has %zu bytes, but a batch of %zu with %zu "
                         "steps takes %s",
                         workspace->size, rows, batch->steps,
                         amount(text, sizeof(text), size));
    void *memory = common_alloc_bytes(size);
    if (!memory)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: out of memory: a batch of %zu with %zu steps takes "
                         "%s",
                         rows, batch->steps, amount(text, sizeof(text), size));
    lstm_workspace_free(workspace);
    *workspace = (lstm_workspace){.memory = memory, .size = size};
    return LSTM_OK;
}

/* Whether the memory of a tape includes the scratch of its backward pass. */
static bool holds_scratch(const lstm_tape *tape)
{
    return tape->own || tape->workspace.from_caller;
}

/* Number of bytes of a forward and, in training, of its backward pass. */
static size_t whole_size(const lstm_weights *weights, const lstm_tape *tape)
{
    size_t size = lstm_tape_size(weights, tape);
    if (tape->keep && !common_add(size, lstm_scratch_size(weights, tape), &size))
        return SIZE_MAX;
    return size;
}

lstm_status lstm_tape_reserve(const lstm_weights *weights, lstm_tape *tape)
{
    size_t size =
        holds_scratch(tape) ? whole_size(weights, tape) : lstm_tape_size(weights, tape);
    lstm_status status = reserve(&tape->workspace, &tape->batch, size);
    if (!status)
        lstm_tape_plan(weights, tape, tape->workspace.memory);
    return status;
}

lstm_status lstm_scratch_reserve(lstm_layer *layer, const lstm_tape *tape)
{
    const lstm_weights *weights = &layer->weights;
    lstm_status status = LSTM_OK;
    char *memory = tape->workspace.memory;
    if (holds_scratch(tape)) {
        memory += lstm_tape_size(weights, tape);
    } else {
        status =
            reserve(&layer->workspace, &tape->batch, lstm_scratch_size(weights, tape));
        memory = layer->workspace.memory;
    }
    if (!status)
        lstm_scratch_plan(weights, tape, &layer->scratch, memory);
    return status;
}

size_t lstm_layer_workspace_size(const lstm_layer *layer, bool training, size_t batch,
                                 size_t steps)
{
    /* No tensor is larger than this. */
    const size_t most = PTRDIFF_MAX / sizeof(float);
    if (!layer || batch == 0 || steps == 0)
        return 0;
    if (batch > most || steps > most)
        return SIZE_MAX;
    lstm_tape tape = {0};
    lstm_tape_shape(&layer->weights, &tape, batch, steps, training);
    return whole_size(&layer->weights, &tape);
}

lstm_status lstm_layer_set_workspace(lstm_layer *layer, lstm_tape *tape, void *memory,
                                     size_t size)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    lstm_status status = lstm_layer_check_tape(layer, tape);
    if (status)
        return status;
    if ((uintptr_t)memory % COMMON_ALIGNMENT)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: memory is at %p, expected a multiple of %d", memory,
                         COMMON_ALIGNMENT);
    if (memory)
        status = lstm_weights_pack(&layer->weights, layer->training, false);
    if (!status && memory && layer->training)
        status = lstm_weights_pack_backward(&layer->weights, false);
    if (status)
        return status;
    tape = tape ? tape : layer->tape;
    lstm_workspace_free(&tape->workspace);
    if (memory)
        tape->workspace = (lstm_workspace){memory, size, true};
    layer->preallocated = layer->preallocated || memory;
    tape->pending = false;
    return LSTM_OK;
}
