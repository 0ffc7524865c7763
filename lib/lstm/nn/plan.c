/*
 * The layout of the buffers of a forward, and of those of its backward pass, each in
 * one block of memory. A plan without memory only counts the bytes.
 */
#include "lib/common/memory.h"
#include "lib/lstm/core/arena.h"
#include "lib/lstm/nn/pass.h"
#include "lib/lstm/nn/tape.h"

/* Takes a buffer of steps with this number of blocks, for all rows. */
static float *take_steps(lstm_arena *memory, const lstm_tape *tape, size_t steps,
                         size_t blocks)
{
    const lstm_blocked *blocked = &tape->batch.blocked;
    size_t rows = blocked->groups * blocked->group_rows, count;
    if (!common_multiply(steps, rows, &count))
        count = SIZE_MAX;
    return lstm_arena_take(memory, count, LSTM_BLOCK * blocks * sizeof(float));
}

/* The address of the next step of a buffer; NULL for NULL. */
static float *next_step(const lstm_tape *tape, float *buffer, size_t blocks)
{
    return buffer ? buffer + lstm_blocked_step(&tape->batch.blocked, blocks) : NULL;
}

/* Forward -----------------------------------------------------------------------------
 */

static lstm_activations plan_direction(const lstm_weights *weights,
                                       const lstm_tape *tape, lstm_arena *memory,
                                       size_t index)
{
    lstm_activations at = {0};
    size_t hidden = lstm_blocks(weights->config.hidden), steps = tape->window;
    size_t state = lstm_blocks(weights->state);
    at.h = take_steps(memory, tape, steps + 1, state);
    at.h_out = next_step(tape, at.h, state);
    at.c = take_steps(memory, tape, steps + 1, hidden);
    at.c_out = next_step(tape, at.c, hidden);
    if (index % weights->directions)
        at.x_reversed = take_steps(memory, tape, steps,
                                   lstm_direction_blocks(&weights->direction[index]));
    if (weights->config.proj_size)
        at.u = take_steps(memory, tape, steps, hidden);
    if (tape->keep || tape->single || tape->inputs_apart)
        at.gates = take_steps(memory, tape, steps, LSTM_GATES * hidden);
    if (tape->keep)
        at.tanh_c = take_steps(memory, tape, steps, hidden);
    return at;
}

/* Takes the masks of the output of a layer, one byte for each element. */
static uint8_t *take_masks(const lstm_weights *weights, const lstm_tape *tape,
                           lstm_arena *memory)
{
    size_t count;
    if (!common_multiply(tape->batch.steps, tape->batch.blocked.rows, &count))
        count = SIZE_MAX;
    return lstm_arena_take(memory, count, weights->directions * weights->state);
}

/* Plans the directions and the output of a layer. */
static void plan_layer(const lstm_weights *weights, lstm_tape *tape, lstm_arena *memory,
                       size_t l, lstm_activations *at)
{
    size_t directions = weights->directions;
    for (size_t d = 0; d < directions; d++)
        at[d] = plan_direction(weights, tape, memory, l * directions + d);
    bool last = l + 1 == weights->config.layers;
    bool dropout = tape->keep && weights->config.dropout > 0 && !last;
    /* Without concatenation and dropout, the output is h. */
    float *y = at[0].h_out;
    if (directions == 2 || dropout)
        y = take_steps(memory, tape, tape->window,
                       directions * lstm_blocks(weights->state));
    uint8_t *mask = dropout ? take_masks(weights, tape, memory) : NULL;
    if (!memory->start)
        return;
    tape->y[l] = y;
    tape->mask[l] = mask;
    at[0].x = l ? tape->y[l - 1] : tape->x;
    if (directions == 2)
        at[1].x = at[1].x_reversed;
    for (size_t d = 0; d < directions; d++)
        tape->at[l * directions + d] = at[d];
}

static size_t plan(const lstm_weights *weights, lstm_tape *tape, void *start)
{
    lstm_arena memory = {start, 0};
    lstm_batch_plan(&tape->batch, tape->keep, &memory);
    tape->queues =
        lstm_arena_take(&memory, lstm_tape_queues(tape), sizeof(*tape->queues));
    tape->x =
        take_steps(&memory, tape, tape->window, lstm_blocks(weights->config.inputs));
    lstm_activations at[2];
    for (size_t l = 0; l < weights->config.layers; l++)
        plan_layer(weights, tape, &memory, l, at);
    return memory.used;
}

void lstm_tape_plan(const lstm_weights *weights, lstm_tape *tape, void *memory)
{
    plan(weights, tape, memory);
}

size_t lstm_tape_size(const lstm_weights *weights, const lstm_tape *tape)
{
    lstm_tape measured = *tape;
    return plan(weights, &measured, NULL);
}

/* Whether the kernels of a single row can compute this layer. They read all directions
 * of x as one segment without padding. */
static bool has_single_rows(const lstm_weights *weights)
{
    switch (weights->config.precision) {
    case LSTM_BFLOAT16:
        return false;
    case LSTM_INT8:
        return weights->directions == 1;
    default:
        return weights->directions == 1 || weights->state % LSTM_BLOCK == 0;
    }
}

void lstm_tape_shape(const lstm_weights *weights, lstm_tape *tape, size_t batch,
                     size_t steps, bool training)
{
    /* Number of steps of a window of an evaluation. */
    enum { WINDOW = 16 };
    tape->batch.blocked =
        lstm_blocked_create(lstm_weights_kernels(weights, training), batch);
    tape->batch.steps = steps;
    tape->keep = training;
    tape->single = batch == 1 && !training && has_single_rows(weights);
    tape->inputs_apart = !tape->single && lstm_has_inputs_apart(weights, batch);
    bool whole = training || weights->directions == 2 || steps < WINDOW;
    tape->window = whole ? steps : WINDOW;
}

/* Backward ----------------------------------------------------------------------------
 */

static lstm_state_gradients plan_state_gradients(const lstm_weights *weights,
                                                 const lstm_tape *tape,
                                                 lstm_arena *memory)
{
    lstm_state_gradients at = {0};
    size_t hidden = lstm_blocks(weights->config.hidden);
    size_t state = lstm_blocks(weights->state);
    at.dh = take_steps(memory, tape, 1, state);
    at.dc = take_steps(memory, tape, 1, hidden);
    if (weights->config.proj_size) {
        at.dp = take_steps(memory, tape, tape->window, state);
        at.du = take_steps(memory, tape, 1, hidden);
    }
    return at;
}

/* Plans the reverse directions, which use the same memory one after the other. */
static void plan_reverse(const lstm_weights *weights, const lstm_tape *tape,
                         lstm_scratch *scratch, lstm_arena *memory)
{
    size_t state = lstm_blocks(weights->state), width = state * weights->directions;
    size_t inputs = lstm_blocks(weights->config.inputs);
    scratch->dx = take_steps(memory, tape, tape->window, width);
    float *dy = take_steps(memory, tape, tape->window, state);
    float *dx = take_steps(memory, tape, tape->window, width);
    /* The input has another width, so its rows have other offsets: a thread in the
     * first layer must not overwrite rows of a thread that is still in another layer.
     */
    float *first_dx = take_steps(memory, tape, tape->window, inputs);
    for (size_t i = 1; memory->start && i < lstm_weights_count(weights); i += 2) {
        scratch->at[i].dy_reversed = dy;
        scratch->at[i].dx_reversed = i == 1 ? first_dx : dx;
    }
}

static void plan_gradients(const lstm_weights *weights, lstm_scratch *scratch,
                           lstm_arena *memory)
{
    size_t stride;
    scratch->queue_count = lstm_gradient_queues(weights);
    scratch->queues =
        lstm_arena_take(memory, scratch->queue_count, sizeof(*scratch->queues));
    scratch->tiles =
        lstm_arena_take(memory, lstm_gradient_tiles(weights, &stride), sizeof(float));
}

/* Plans the gradients of all directions and of the sequences, then the weight
 * gradients. */
static size_t plan_scratch(const lstm_weights *weights, const lstm_tape *tape,
                           lstm_scratch *scratch, void *start)
{
    lstm_arena memory = {start, 0};
    for (size_t i = 0; i < lstm_weights_count(weights); i++) {
        lstm_state_gradients gradients = plan_state_gradients(weights, tape, &memory);
        if (start)
            scratch->at[i] = gradients;
    }
    size_t width = lstm_blocks(weights->state) * weights->directions;
    scratch->dy = take_steps(&memory, tape, tape->window, width);
    /* Without a reverse direction, the gradient of the input of a layer replaces the
     * gradient of its output step by step. */
    scratch->dx = scratch->dy;
    scratch->dx_input =
        take_steps(&memory, tape, tape->window, lstm_blocks(weights->config.inputs));
    if (weights->directions == 2)
        plan_reverse(weights, tape, scratch, &memory);
    plan_gradients(weights, scratch, &memory);
    return memory.used;
}

size_t lstm_scratch_size(const lstm_weights *weights, const lstm_tape *tape)
{
    lstm_scratch measured = {0};
    return plan_scratch(weights, tape, &measured, NULL);
}

void lstm_scratch_plan(const lstm_weights *weights, const lstm_tape *tape,
                       lstm_scratch *scratch, void *memory)
{
    plan_scratch(weights, tape, scratch, memory);
}
