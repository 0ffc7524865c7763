/*
 * Forward through time.
 *
 * Some rows of the batch go through all steps on their own: rows do not depend on each
 * other, so no thread waits (see layer_rows.c). When rows are few, threads take hidden
 * units of all rows instead, and wait for each other after each step, because each
 * needs the others' h.
 * Within a step a panel of weights meets all rows before the next one comes, so it is
 * read from the second level cache once and from the first after that.
 *
 * In the evaluation of one sequence the products of its inputs come first, for all
 * steps of a chunk: the steps of the sequence then share a panel as rows do otherwise,
 * and what is left for each step is the panels of h.
 */
#include "lib/lstm/nn/layer.h"

/* What the steps of a direction have in common. */
typedef struct {
    const lstm_layer *layer;
    const lstm_run *run;
    const lstm_part *part;
    const lstm_direction *direction;
    const lstm_activations *at;
    /** Blocks of a step of the input, the state and the hidden units. */
    size_t x_blocks, state, hidden;
} forward;

/* The cells of a block of units at a step, for the rows of the part up to active. */
static void run_cells(const forward *f, size_t step, bool first, bool more,
                      size_t block, size_t active)
{
    const lstm_run *run = f->run;
    const lstm_activations *at = f->at;
    size_t stride = lstm_run_stride(run);
    size_t depth = lstm_packed_depth(run->kernels, f->direction->x_segments,
                                     f->direction->x_channels) +
                   lstm_packed_depth(run->kernels, 1, f->layer->state);
    size_t state_step = lstm_run_step(run, f->state);
    size_t hidden_step = lstm_run_step(run, f->hidden);
    float *out = at->u ? at->u + step * hidden_step : at->h + (step + 1) * state_step;
    lstm_cell job = {
        .stride = stride,
        .x = {NULL, f->direction->x_segments, f->direction->x_channels},
        .h = {NULL, 1, f->layer->state},
        .weights = f->direction->cell + block * depth * LSTM_GATES * LSTM_BLOCK,
        .bias = f->direction->bias + block * LSTM_GATES * LSTM_BLOCK,
        .gate_stride = f->hidden * stride,
    };
    lstm_rows rows;
    for (size_t row = f->part->row_start; row < active; row += rows.count) {
        rows = lstm_run_rows(run, row, active);
        size_t unit = lstm_run_offset(run, rows, f->hidden) + block * stride;
        job.rows = rows.count;
        job.x.data = at->x + step * lstm_run_step(run, f->x_blocks) +
                     lstm_run_offset(run, rows, f->x_blocks);
        if (!first || run->has_h0)
            job.h.data =
                at->h + step * state_step + lstm_run_offset(run, rows, f->state);
        job.c_before = !first || run->has_c0 ? at->c + step * hidden_step + unit : NULL;
        job.c = at->c + (step + 1) * hidden_step + unit;
        job.h_out = out + unit;
        if (run->keep) {
            job.gates = at->gates + step * LSTM_GATES * hidden_step +
                        lstm_run_offset(run, rows, LSTM_GATES * f->hidden) +
                        block * stride;
            job.tanh_c = at->tanh_c + step * hidden_step + unit;
        }
        job.prefetch =
            more && block < f->x_blocks
                ? job.x.data + lstm_run_step(run, f->x_blocks) + block * stride
                : NULL;
        run->kernels->cell(&job);
    }
}

/* A single row's sums of biases and inputs, for the units of the part. */
static void run_inputs(const forward *f, size_t steps, size_t first, size_t last)
{
    const lstm_direction *direction = f->direction;
    size_t inputs = direction->x_segments * direction->x_channels,
           state = f->layer->state;
    size_t line = LSTM_GATES * LSTM_BLOCK;
    f->run->kernels->cell_inputs(&(lstm_cell_inputs){
        .steps = steps,
        .inputs = inputs,
        .state = state,
        .blocks = last - first,
        .x = f->at->x,
        .x_stride = lstm_run_step(f->run, f->x_blocks),
        .weights = direction->cell + first * (inputs + state) * line,
        .bias = direction->bias + first * line,
        .sums = f->at->gates + first * line,
        .sums_stride = lstm_run_step(f->run, LSTM_GATES * f->hidden),
    });
}

/* The cells of a single row at a step, for the units of the part. */
static void run_row(const forward *f, size_t step, bool first, size_t block,
                    size_t last)
{
    const lstm_run *run = f->run;
    const lstm_activations *at = f->at;
    const lstm_direction *direction = f->direction;
    size_t inputs = direction->x_segments * direction->x_channels,
           state = f->layer->state;
    size_t line = LSTM_GATES * LSTM_BLOCK, unit = block * LSTM_BLOCK;
    size_t state_step = lstm_run_step(run, f->state);
    size_t hidden_step = lstm_run_step(run, f->hidden);
    float *out = at->u ? at->u + step * hidden_step : at->h + (step + 1) * state_step;
    run->kernels->cell_row(&(lstm_cell_row){
        .inputs = inputs,
        .state = state,
        .blocks = last - block,
        .h = !first || run->has_h0 ? at->h + step * state_step : NULL,
        .weights = direction->cell + block * (inputs + state) * line,
        .sums = at->gates + step * LSTM_GATES * hidden_step + block * line,
        .c_before = !first || run->has_c0 ? at->c + step * hidden_step + unit : NULL,
        .c = at->c + (step + 1) * hidden_step + unit,
        .h_out = out + unit,
    });
}

/* h = u W_hr^T. */
static void run_projection(const forward *f, size_t step, size_t active)
{
    const lstm_run *run = f->run;
    size_t unit = run->kernels->product_blocks;
    size_t depth = lstm_packed_depth(run->kernels, 1, f->layer->config.hidden);
    size_t first = lstm_part_block(f->part, f->state, unit, 0);
    size_t end = lstm_part_block(f->part, f->state, unit, 1);
    float *h = f->at->h + (step + 1) * lstm_run_step(run, f->state);
    for (size_t block = first; block < end; block += unit) {
        lstm_rows rows;
        for (size_t row = f->part->row_start; row < active; row += rows.count) {
            rows = lstm_run_rows(run, row, active);
            run->kernels->product(&(lstm_panel_product){
                .rows = rows.count,
                .stride = lstm_run_stride(run),
                .a = {f->at->u + step * lstm_run_step(run, f->hidden) +
                          lstm_run_offset(run, rows, f->hidden),
                      1, f->layer->config.hidden},
                .weights = f->direction->project + block * depth * LSTM_BLOCK,
                .blocks = f->state - block < unit ? f->state - block : unit,
                .out = h + lstm_run_offset(run, rows, f->state) +
                       block * lstm_run_stride(run),
            });
        }
    }
    lstm_run_to_pairs(run, f->part->row_start, active, f->state, first, end, h);
}

void lstm_forward_direction(const lstm_layer *layer, const lstm_run *run,
                            const lstm_part *part, size_t index, size_t chunk,
                            size_t start, size_t end)
{
    const lstm_direction *direction = &layer->direction[index];
    forward f = {layer,
                 run,
                 part,
                 direction,
                 &run->at[index],
                 direction->x_segments * lstm_blocks(direction->x_channels),
                 lstm_blocks(layer->state),
                 lstm_blocks(layer->config.hidden)};
    size_t first_block = lstm_part_block(part, f.hidden, 1, 0);
    size_t last_block = lstm_part_block(part, f.hidden, 1, 1);
    size_t chunk_end = lstm_run_chunk_end(run, chunk);
    bool single = lstm_run_is_single(layer, run) && last_block > first_block;
    if (single && part->row_end > part->row_start)
        run_inputs(&f, end - start, first_block, last_block);
    for (size_t step = start; step < end; step++) {
        size_t counting = lstm_run_active(run, step);
        size_t active = counting < part->row_end ? counting : part->row_end;
        if (single && active > part->row_start)
            run_row(&f, step - chunk, step == 0, first_block, last_block);
        for (size_t block = first_block; !single && block < last_block; block++)
            run_cells(&f, step - chunk, step == 0, step + 1 < chunk_end, block, active);
        lstm_part_sync(part);
        if (direction->weight_hr) {
            run_projection(&f, step - chunk, active);
            lstm_part_sync(part);
        }
    }
}
