/*
 * The memory of forward and backward: of the library, which grows, or of the caller,
 * which does not.
 *
 * The memory of a tape holds the activations of a forward, and behind them what its
 * backward pass works in when the tape is the layer's own or the memory the caller's.
 * Other tapes share the scratch memory of their layer, so that a pending forward takes
 * no more than its activations.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"

void lstm_workspace_free(lstm_workspace *workspace)
{
    if (!workspace->given)
        common_free(workspace->memory);
    *workspace = (lstm_workspace){0};
}

static lstm_status reserve(lstm_workspace *workspace, const lstm_run *run, size_t size)
{
    if (size <= workspace->size)
        return LSTM_OK;
    if (workspace->given)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: workspace has %zu bytes, but a batch of %zu with %zu "
                         "steps takes %zu",
                         workspace->size, run->batch, run->steps, size);
    void *memory = common_alloc(size, 1);
    if (!memory)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: out of memory: a batch of %zu with %zu steps takes "
                         "%zu bytes",
                         run->batch, run->steps, size);
    lstm_workspace_free(workspace);
    *workspace = (lstm_workspace){.memory = memory, .size = size};
    return LSTM_OK;
}

/* Whether a tape's memory has room for its backward pass. */
static bool holds_scratch(const lstm_tape *tape)
{
    return tape->own || tape->workspace.given;
}

/* Bytes of a run, with those of its backward pass when it may have one. */
static size_t whole_size(const lstm_layer *layer, const lstm_run *run)
{
    size_t size = lstm_run_size(layer, run);
    if (run->keep && !common_add(size, lstm_scratch_size(layer, run), &size))
        return SIZE_MAX;
    return size;
}

lstm_status lstm_tape_reserve(const lstm_layer *layer, lstm_tape *tape)
{
    lstm_run *run = &tape->run;
    size_t size =
        holds_scratch(tape) ? whole_size(layer, run) : lstm_run_size(layer, run);
    lstm_status status = reserve(&tape->workspace, run, size);
    if (!status)
        lstm_run_plan(layer, run, tape->workspace.memory);
    return status;
}

lstm_status lstm_scratch_reserve(lstm_layer *layer, const lstm_tape *tape)
{
    const lstm_run *run = &tape->run;
    if (holds_scratch(tape)) {
        lstm_scratch_plan(layer, run,
                          (char *)tape->workspace.memory + lstm_run_size(layer, run));
        return LSTM_OK;
    }
    lstm_status status = reserve(&layer->workspace, run, lstm_scratch_size(layer, run));
    if (!status)
        lstm_scratch_plan(layer, run, layer->workspace.memory);
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
    lstm_run run = {0};
    lstm_run_shape(layer, &run, batch, steps, training);
    return whole_size(layer, &run);
}

lstm_status lstm_layer_set_workspace(lstm_layer *layer, lstm_tape *tape, void *memory,
                                     size_t size)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    lstm_status status = lstm_tape_check(layer, tape);
    if (status)
        return status;
    tape = tape ? tape : layer->tape;
    if ((uintptr_t)memory % COMMON_ALIGNMENT)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: memory is at %p, expected a multiple of %d", memory,
                         COMMON_ALIGNMENT);
    if (memory)
        status = lstm_panels_update(layer, false);
    if (!status && memory && layer->training)
        status = lstm_back_panels_update(layer);
    if (status)
        return status;
    lstm_workspace_free(&tape->workspace);
    if (memory)
        tape->workspace = (lstm_workspace){memory, size, true};
    layer->preallocated = layer->preallocated || memory;
    tape->pending = false;
    return LSTM_OK;
}
