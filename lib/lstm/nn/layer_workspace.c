/*
 * The memory of runs: the layer's own, which grows, or the caller's, which does not.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"

static lstm_status grow(lstm_layer *layer, size_t size)
{
    if (layer->workspace_given)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: workspace has %zu bytes, but a batch of %zu with %zu "
                         "steps takes %zu",
                         layer->workspace_size, layer->run.batch, layer->run.steps,
                         size);
    void *workspace = common_alloc(size, 1);
    if (!workspace)
        return lstm_fail(LSTM_OUT_OF_MEMORY,
                         "layer: out of memory: a batch of %zu with %zu steps takes "
                         "%zu bytes",
                         layer->run.batch, layer->run.steps, size);
    common_free(layer->workspace);
    layer->workspace = workspace;
    layer->workspace_size = size;
    return LSTM_OK;
}

lstm_status lstm_run_reserve(lstm_layer *layer)
{
    size_t size = lstm_run_size(layer, &layer->run);
    lstm_status status = LSTM_OK;
    if (size > layer->workspace_size)
        status = grow(layer, size);
    if (!status)
        lstm_run_plan(layer, &layer->run, layer->workspace);
    return status;
}

size_t lstm_layer_workspace_size(const lstm_layer *layer, bool training, size_t batch,
                                 size_t steps)
{
    /* Beyond this no tensor can be. */
    const size_t most = PTRDIFF_MAX / sizeof(float);
    if (!layer || batch == 0 || steps == 0)
        return 0;
    if (batch > most || steps > most)
        return SIZE_MAX;
    lstm_run run = {0};
    lstm_run_shape(layer, &run, batch, steps, training);
    return lstm_run_size(layer, &run);
}

lstm_status lstm_layer_set_workspace(lstm_layer *layer, void *memory, size_t size)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if ((uintptr_t)memory % COMMON_ALIGNMENT)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "layer: memory is at %p, expected a multiple of %d", memory,
                         COMMON_ALIGNMENT);
    lstm_status status = memory ? lstm_layer_pack(layer, false) : LSTM_OK;
    if (!status && memory && layer->training)
        status = lstm_layer_pack(layer, true);
    if (status)
        return status;
    if (!layer->workspace_given)
        common_free(layer->workspace);
    layer->workspace = memory;
    layer->workspace_size = memory ? size : 0;
    layer->workspace_given = memory;
    layer->pending = false;
    return LSTM_OK;
}
