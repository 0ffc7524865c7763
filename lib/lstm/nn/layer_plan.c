/*
 * Buffers of a run in one piece of memory, and what each thread owns of it.
 */
#include "lib/common/memory.h"
#include "lib/lstm/nn/layer.h"

/* Hands out memory piece by piece; with start NULL it only counts. */
typedef struct {
    char *start;
    size_t used;
} cursor;

static void *take(cursor *at, size_t count, size_t size)
{
    void *piece = at->start ? at->start + at->used : NULL;
    size_t bytes = count * size;
    at->used += (bytes + COMMON_ALIGNMENT - 1) / COMMON_ALIGNMENT * COMMON_ALIGNMENT;
    return piece;
}

static float *take_steps(cursor *at, const lstm_run *run, size_t steps, size_t blocks)
{
    return take(at, steps * lstm_run_step(run, blocks), sizeof(float));
}

static void plan_direction(const lstm_layer *layer, lstm_run *run, cursor *memory,
                           size_t index)
{
    lstm_activations *at = &run->at[index];
    const lstm_direction *direction = &layer->direction[index];
    size_t hidden = lstm_blocks(layer->config.hidden),
           state = lstm_blocks(layer->state);
    size_t inputs = direction->x_segments * lstm_blocks(direction->x_channels);
    size_t steps = run->capacity;
    bool reverse = index % layer->directions, project = layer->config.proj_size > 0;
    *at = (lstm_activations){0};
    at->h = take_steps(memory, run, steps + 1, state);
    at->c = take_steps(memory, run, steps + 1, hidden);
    if (reverse)
        at->x_reversed = take_steps(memory, run, steps, inputs);
    if (project)
        at->u = take_steps(memory, run, steps, hidden);
    if (!run->keep)
        return;
    at->gates = take_steps(memory, run, steps, LSTM_GATES * hidden);
    at->tanh_c = take_steps(memory, run, steps, hidden);
    at->dh = take_steps(memory, run, 1, state);
    at->dc = take_steps(memory, run, 1, hidden);
    if (project) {
        at->dp = take_steps(memory, run, steps, state);
        at->du = take_steps(memory, run, 1, hidden);
    }
}

/* Gradients that pass between layers. Without a reverse direction that of a layer's
 * input takes the place of that of its output, step by step. */
static void plan_gradients(const lstm_layer *layer, lstm_run *run, cursor *memory)
{
    size_t state = lstm_blocks(layer->state), width = state * layer->directions;
    run->dy = take_steps(memory, run, run->capacity, width);
    run->dx = run->dy;
    run->dx_input =
        take_steps(memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    if (layer->directions == 2) {
        run->dx = take_steps(memory, run, run->capacity, width);
        float *dy = take_steps(memory, run, run->capacity, state);
        float *dx = take_steps(memory, run, run->capacity, width);
        for (size_t i = 1; i < layer->config.layers * 2; i += 2) {
            run->at[i].dy_reversed = dy;
            run->at[i].dx_reversed = dx;
        }
        /* Of another width, so rows would lie elsewhere: a thread that is done with the
         * upper layers must not write into rows of one that is not. */
        run->at[1].dx_reversed =
            take_steps(memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    }
    size_t tile_blocks;
    run->tiles = take(memory, lstm_gradient_tiles(layer, &tile_blocks), sizeof(float));
}

static void plan_layers(const lstm_layer *layer, lstm_run *run, cursor *memory)
{
    size_t directions = layer->directions, state = lstm_blocks(layer->state);
    run->x = take_steps(memory, run, run->capacity, lstm_blocks(layer->config.inputs));
    for (size_t l = 0; l < layer->config.layers; l++) {
        for (size_t d = 0; d < directions; d++)
            plan_direction(layer, run, memory, l * directions + d);
        bool last = l + 1 == layer->config.layers;
        bool dropped = run->keep && layer->config.dropout > 0 && !last;
        lstm_activations *at = &run->at[l * directions];
        /* The output is h itself, its initial state left out, where that will do. */
        run->y[l] = at->h ? at->h + lstm_run_step(run, state) : NULL;
        if (directions == 2 || dropped)
            run->y[l] = take_steps(memory, run, run->capacity, directions * state);
        run->mask[l] = NULL;
        if (dropped)
            run->mask[l] =
                take(memory, run->steps * run->batch * directions * layer->state, 1);
        const float *x = l ? run->y[l - 1] : run->x;
        at[0].x = x;
        if (directions == 2)
            at[1].x = at[1].x_reversed;
    }
}

size_t lstm_run_plan(const lstm_layer *layer, lstm_run *run, void *memory)
{
    cursor at = {memory, 0};
    run->group_rows = run->batch < LSTM_GROUP_ROWS ? run->batch : LSTM_GROUP_ROWS;
    run->groups = (run->batch + run->group_rows - 1) / run->group_rows;
    run->order = take(&at, run->batch, sizeof(size_t));
    run->lengths = take(&at, run->batch, sizeof(size_t));
    run->active = take(&at, run->steps, sizeof(size_t));
    run->next = take(&at, run->steps, sizeof(size_t));
    run->row_of = take(&at, run->batch, sizeof(size_t));
    run->draws = take(&at, run->batch, sizeof(size_t));
    plan_layers(layer, run, &at);
    if (run->keep)
        plan_gradients(layer, run, &at);
    return at.used;
}

lstm_part lstm_run_part(const lstm_run *run, lstm_team *team, size_t share,
                        size_t shares)
{
    /* A multiple of the rows of a tile of most instruction sets. */
    enum { ROWS = 4 };
    lstm_part part = {.team = team, .share = share, .shares = shares};
    part.copy_start = lstm_share_start(run->batch, ROWS, share, shares);
    part.copy_end = lstm_share_start(run->batch, ROWS, share + 1, shares);
    part.split_units = run->split_units && shares > 1;
    part.row_start = part.split_units ? 0 : part.copy_start;
    part.row_end = part.split_units ? run->batch : part.copy_end;
    return part;
}
