/*
 * Buffers of a run in one piece of memory.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/arena.h"
#include "lib/lstm/nn/layer.h"

static float *take_steps(lstm_arena *at, const lstm_run *run, size_t steps,
                         size_t blocks)
{
    size_t rows = run->groups * run->group_rows, count;
    if (!common_multiply(steps, rows, &count))
        count = SIZE_MAX;
    return lstm_arena_take(at, count, LSTM_BLOCK * blocks * sizeof(float));
}

static lstm_activations plan_direction(const lstm_layer *layer, const lstm_run *run,
                                       lstm_arena *memory, size_t index)
{
    lstm_activations at = {0};
    const lstm_direction *direction = &layer->direction[index];
    size_t hidden = lstm_blocks(layer->config.hidden),
           state = lstm_blocks(layer->state);
    size_t inputs = direction->x_segments * lstm_blocks(direction->x_channels);
    size_t steps = run->capacity;
    bool reverse = index % layer->directions, project = layer->config.proj_size > 0;
    at.h = take_steps(memory, run, steps + 1, state);
    at.c = take_steps(memory, run, steps + 1, hidden);
    if (reverse)
        at.x_reversed = take_steps(memory, run, steps, inputs);
    if (project)
        at.u = take_steps(memory, run, steps, hidden);
    if (run->keep || lstm_run_is_single(layer, run))
        at.gates = take_steps(memory, run, steps, LSTM_GATES * hidden);
    if (!run->keep)
        return at;
    at.tanh_c = take_steps(memory, run, steps, hidden);
    return at;
}

/* Masks of the output of a layer, a byte each. */
static uint8_t *take_masks(const lstm_layer *layer, const lstm_run *run,
                           lstm_arena *memory)
{
    size_t count;
    if (!common_multiply(run->steps, run->batch, &count))
        count = SIZE_MAX;
    return lstm_arena_take(memory, count, layer->directions * layer->state);
}

static void plan_layers(const lstm_layer *layer, lstm_run *run, lstm_arena *memory)
{
    size_t directions = layer->directions, state = lstm_blocks(layer->state);
    run->x = take_steps(memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    const float *x = run->x;
    for (size_t l = 0; l < layer->config.layers; l++) {
        lstm_activations at[2] = {0};
        for (size_t d = 0; d < directions; d++)
            at[d] = plan_direction(layer, run, memory, l * directions + d);
        bool last = l + 1 == layer->config.layers;
        bool dropped = run->keep && layer->config.dropout > 0 && !last;
        /* The output is h itself, its initial state left out, where that will do. */
        float *y = at[0].h ? at[0].h + lstm_run_step(run, state) : NULL;
        if (directions == 2 || dropped)
            y = take_steps(memory, run, run->capacity, directions * state);
        uint8_t *mask = dropped ? take_masks(layer, run, memory) : NULL;
        at[0].x = x;
        at[1].x = at[1].x_reversed;
        x = y;
        if (!run->at)
            continue;
        run->y[l] = y;
        run->mask[l] = mask;
        for (size_t d = 0; d < directions; d++)
            run->at[l * directions + d] = at[d];
    }
}

static size_t plan(const lstm_layer *layer, lstm_run *run, void *memory)
{
    lstm_arena at = {memory, 0};
    run->group_rows = run->batch < LSTM_GROUP_ROWS ? run->batch : LSTM_GROUP_ROWS;
    run->group_rows += run->group_rows % run->kernels->k_pack;
    run->groups = (run->batch + run->group_rows - 1) / run->group_rows;
    run->order = lstm_arena_take(&at, run->batch, sizeof(size_t));
    run->lengths = lstm_arena_take(&at, run->batch, sizeof(size_t));
    /* An evaluation must not need memory that grows with the steps. */
    size_t steps = run->keep ? run->steps : 0, rows = run->keep ? run->batch : 0;
    run->active = lstm_arena_take(&at, steps, sizeof(size_t));
    run->next = lstm_arena_take(&at, steps, sizeof(size_t));
    run->row_of = lstm_arena_take(&at, rows, sizeof(size_t));
    run->draws = lstm_arena_take(&at, rows, sizeof(size_t));
    if (!run->keep)
        run->active = run->next = run->row_of = run->draws = NULL;
    run->chain_count = run->groups < LSTM_MAX_THREADS ? LSTM_MAX_THREADS : run->groups;
    run->chains = lstm_arena_take(&at, run->chain_count, sizeof(lstm_queue));
    plan_layers(layer, run, &at);
    return at.used;
}

void lstm_run_plan(const lstm_layer *layer, lstm_run *run, void *memory)
{
    plan(layer, run, memory);
}

size_t lstm_run_size(const lstm_layer *layer, const lstm_run *run)
{
    lstm_run measured = *run;
    measured.at = NULL;
    measured.y = NULL;
    measured.mask = NULL;
    return plan(layer, &measured, NULL);
}

static lstm_slopes plan_slopes(const lstm_layer *layer, const lstm_run *run,
                               lstm_arena *memory)
{
    lstm_slopes at = {0};
    size_t hidden = lstm_blocks(layer->config.hidden),
           state = lstm_blocks(layer->state);
    at.dh = take_steps(memory, run, 1, state);
    at.dc = take_steps(memory, run, 1, hidden);
    if (layer->config.proj_size) {
        at.dp = take_steps(memory, run, run->capacity, state);
        at.du = take_steps(memory, run, 1, hidden);
    }
    return at;
}

/* What the reverse directions need: one after the other they use the same memory. */
static void plan_reverse(const lstm_layer *layer, const lstm_run *run,
                         lstm_scratch *scratch, lstm_arena *memory)
{
    size_t state = lstm_blocks(layer->state), width = state * layer->directions;
    scratch->dx = take_steps(memory, run, run->capacity, width);
    float *dy = take_steps(memory, run, run->capacity, state);
    float *dx = take_steps(memory, run, run->capacity, width);
    for (size_t i = 1; scratch->at && i < layer->config.layers * 2; i += 2) {
        scratch->at[i].dy_reversed = dy;
        scratch->at[i].dx_reversed = dx;
    }
    /* Of another width, so rows would lie elsewhere: a thread that is done with the
     * upper layers must not write into rows of one that is not. */
    dx = take_steps(memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    if (scratch->at)
        scratch->at[1].dx_reversed = dx;
}

/* Gradients that pass between layers: without a reverse direction that of a layer's
 * input takes the place of that of its output, step by step. Then the weight gradients.
 */
static size_t plan_scratch(const lstm_layer *layer, const lstm_run *run,
                           lstm_scratch *scratch, void *start)
{
    lstm_arena memory = {start, 0};
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        lstm_slopes slopes = plan_slopes(layer, run, &memory);
        if (scratch->at)
            scratch->at[i] = slopes;
    }
    size_t width = lstm_blocks(layer->state) * layer->directions, stride;
    scratch->dy = take_steps(&memory, run, run->capacity, width);
    scratch->dx = scratch->dy;
    scratch->dx_input =
        take_steps(&memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    if (layer->directions == 2)
        plan_reverse(layer, run, scratch, &memory);
    scratch->chain_count = lstm_gradient_chains(layer);
    scratch->chains =
        lstm_arena_take(&memory, scratch->chain_count, sizeof(lstm_queue));
    scratch->tiles =
        lstm_arena_take(&memory, lstm_gradient_tiles(layer, &stride), sizeof(float));
    return memory.used;
}

size_t lstm_scratch_size(const lstm_layer *layer, const lstm_run *run)
{
    /* The groups of rows follow from the plan of the activations. */
    lstm_run measured = *run;
    measured.at = NULL;
    measured.y = NULL;
    measured.mask = NULL;
    plan(layer, &measured, NULL);
    lstm_scratch scratch = {0};
    return plan_scratch(layer, &measured, &scratch, NULL);
}

void lstm_scratch_plan(lstm_layer *layer, const lstm_run *run, void *memory)
{
    plan_scratch(layer, run, &layer->scratch, memory);
}

void lstm_run_shape(const lstm_layer *layer, lstm_run *run, size_t batch, size_t steps,
                    bool training)
{
    /* Steps of a chunk of an evaluation. */
    enum { CHUNK = 16 };
    run->kernels = lstm_layer_kernels(layer);
    run->batch = batch;
    run->steps = steps;
    run->keep = training;
    bool whole = training || layer->directions == 2 || steps < CHUNK;
    run->capacity = whole ? steps : CHUNK;
}
