/*
 * Rows of the batch: their order, and how threads deal out what is to be done with
 * them.
 *
 * Rows stand by length, longest first. They are cut into parts, which go through all
 * steps and layers on their own: rows do not depend on each other. Where there are
 * enough, threads take turns with them, a piece of some steps at a time, so that one
 * that the machine keeps waiting is helped out: 4% of the time of the experiment's
 * training with 2 threads. Nothing of this changes a bit of a result.
 */
#include <string.h>

#include "lib/lstm/core/order.h"
#include "lib/lstm/nn/layer.h"

/* Sorts rows by length, longest first and otherwise as they come, by counting. */
static void sort_rows(lstm_run *run, const size_t *lengths)
{
    memset(run->active, 0, run->steps * sizeof(size_t));
    for (size_t n = 0; n < run->batch; n++)
        run->active[lengths[n] - 1]++;
    for (size_t s = run->steps - 1; s-- > 0;)
        run->active[s] += run->active[s + 1];
    /* Rows of length L stand behind the longer ones, of which there are active[L]. */
    for (size_t s = 0; s < run->steps; s++)
        run->next[s] = s + 1 < run->steps ? run->active[s + 1] : 0;
    for (size_t n = 0; n < run->batch; n++) {
        size_t row = run->next[lengths[n] - 1]++;
        run->order[row] = n;
        run->lengths[row] = lengths[n];
        run->row_of[n] = row;
    }
    lstm_packed_order(lengths, run->draws, run->batch);
    for (size_t k = 0; k < run->batch; k++)
        run->draws[k] = run->row_of[run->draws[k]];
}

void lstm_run_set_lengths(lstm_run *run, const size_t *lengths)
{
    if (lengths && run->keep) {
        sort_rows(run, lengths);
        return;
    }
    if (lengths) {
        lstm_packed_order(lengths, run->order, run->batch);
        for (size_t row = 0; row < run->batch; row++)
            run->lengths[row] = lengths[run->order[row]];
        return;
    }
    run->order = NULL;
    for (size_t n = 0; n < run->batch; n++)
        run->lengths[n] = run->steps;
    for (size_t s = 0; run->active && s < run->steps; s++)
        run->active[s] = run->batch;
}

size_t lstm_run_shares(const lstm_layer *layer, lstm_run *run)
{
    /* Multiply-adds that take about as long as waking a thread. */
    const double small = 4e5;
    enum { ROWS = 4, FEW_ROWS = 16 };
    size_t hidden = layer->config.hidden;
    double work = 4.0 * (double)hidden * (double)(layer->config.inputs + layer->state) *
                  (double)run->batch * (double)run->steps *
                  (double)layer->config.layers;
    if (work < small)
        return 1;
    size_t threads = lstm_threads(), blocks = lstm_blocks(hidden);
    run->split_units = run->batch < FEW_ROWS * threads && blocks >= 4 * threads;
    return run->split_units ? blocks : (run->batch + ROWS - 1) / ROWS;
}

/* Whether the weights of a layer stay in the second level cache, whoever's rows come.
 */
static bool weights_are_small(const lstm_layer *layer)
{
    const size_t most = 640 << 10;
    size_t hidden = layer->config.hidden;
    size_t inputs = layer->directions * layer->state;
    inputs = inputs < layer->config.inputs ? layer->config.inputs : inputs;
    return LSTM_GATES * hidden * (inputs + layer->state) * sizeof(float) <= most;
}

/* Rows that go through all steps before others: so many that what they read and write
 * in a step stays in the second level cache while panels of weights pass, and that
 * reading these is little beside the products. When threads take turns one group is
 * enough, if the weights are in that cache. If they are not, the sweep back reads them
 * once a step for all rows. */
static size_t rows_of_part(const lstm_layer *layer, const lstm_run *run, size_t shares,
                           bool backward)
{
    enum { ROWS = 4 * LSTM_GROUP_ROWS };
    if (weights_are_small(layer))
        return shares > 1 ? run->group_rows : ROWS;
    return backward ? run->batch : ROWS;
}

lstm_split lstm_run_split(const lstm_layer *layer, const lstm_run *run, size_t shares,
                          bool backward)
{
    /* Multiply-adds of a piece: some 40 us, 100 times what a turn takes. */
    const size_t least = 2000000;
    lstm_split split = {.parts = shares, .pieces = 1, .steps = run->capacity};
    if (run->split_units && shares > 1)
        return split;
    size_t rows = rows_of_part(layer, run, shares, backward);
    size_t parts = (run->batch + rows - 1) / rows;
    split.parts = parts < shares ? shares : parts;
    if (shares == 1 || layer->directions == 2 || lstm_run_is_single(layer, run))
        return split;
    size_t step = (run->batch + split.parts - 1) / split.parts * LSTM_GATES *
                  layer->config.hidden * 2 * layer->state;
    split.steps = step < least ? least / step : 1;
    split.steps = split.steps < run->capacity ? split.steps : run->capacity;
    split.pieces = (run->capacity + split.steps - 1) / split.steps;
    return split;
}

lstm_task lstm_run_task(const lstm_run *run, const lstm_split *split, size_t slices,
                        size_t share, size_t shares)
{
    lstm_task task = lstm_task_begin(run->chains, split->parts, slices, share, shares);
    /* Nobody else can do what the others wait for. */
    if (run->split_units)
        task.count = task.last - task.first;
    return task;
}

lstm_part lstm_run_part(const lstm_run *run, lstm_team *team, size_t share,
                        size_t shares)
{
    /* A multiple of the rows of a tile of most instruction sets. */
    enum { ROWS = 4 };
    size_t unit = run->groups % shares ? ROWS : run->group_rows;
    lstm_part part = {.team = team, .share = share, .shares = shares};
    part.copy_start = lstm_range_start(run->batch, unit, share, shares);
    part.copy_end = lstm_range_start(run->batch, unit, share + 1, shares);
    part.split_units = run->split_units && shares > 1;
    part.row_start = part.split_units ? 0 : part.copy_start;
    part.row_end = part.split_units ? run->batch : part.copy_end;
    return part;
}
