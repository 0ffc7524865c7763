/*
 * The partition of a pass among the threads of a team.
 *
 * With enough rows, a thread takes tasks of one queue after the other; a task is a
 * chunk of steps. The other threads take over the remaining work of a preempted thread.
 * This saves 4% of the training time of the experiment with 2 threads.
 */
#include "lib/lstm/nn/partition.h"
#include "lib/common/extremes.h"

size_t lstm_partition_threads(const lstm_weights *weights, lstm_tape *tape)
{
    /* Number of multiply-adds that take about as long as waking a thread. */
    const double small = 4e5;
    enum { ROWS = 4, FEW_ROWS = 16 };
    const lstm_layer_config *config = &weights->config;
    size_t hidden = config->hidden, rows = tape->batch.blocked.rows;
    double work = 4.0 * (double)hidden * (double)(config->inputs + weights->state) *
                  (double)rows * (double)tape->batch.steps * (double)config->layers;
    if (work < small)
        return 1;
    size_t threads = lstm_threads(), blocks = lstm_blocks(hidden);
    tape->split_units = rows < FEW_ROWS * threads && blocks >= 4 * threads;
    return tape->split_units ? blocks : (rows + ROWS - 1) / ROWS;
}

/* Whether the weights of a layer fit into the second-level cache. */
static bool weights_are_small(const lstm_weights *weights)
{
    const size_t most = 640 << 10;
    size_t hidden = weights->config.hidden;
    size_t inputs = weights->directions * weights->state;
    inputs = common_larger(inputs, weights->config.inputs);
    return LSTM_GATES * hidden * (inputs + weights->state) * sizeof(float) <= most;
}

/* Number of rows of a queue. The data of the rows in a step must fit into the
 * second-level cache together with the panels, and there must be enough rows that the
 * products take much longer than reading the panels. One group is enough for several
 * threads if the weights fit into that cache. If not, a backward pass reads them once
 * per step for all rows. */
static size_t rows_of_queue(const lstm_weights *weights, const lstm_blocked *blocked,
                            size_t threads, bool backward)
{
    enum { ROWS = 4 * LSTM_GROUP_ROWS };
    if (weights_are_small(weights))
        return threads > 1 ? blocked->group_rows : ROWS;
    return backward ? blocked->rows : ROWS;
}

/* Divides the steps of the window into chunks. */
static void set_chunks(lstm_partition *p, const lstm_weights *weights, size_t rows)
{
    /* Number of multiply-adds of a chunk: about 40 us, 100 times the overhead of a
     * task. */
    const size_t enough = 2000000;
    size_t step = (rows + p->queues - 1) / p->queues * LSTM_GATES *
                  weights->config.hidden * 2 * weights->state;
    p->chunk_steps = common_smaller(step < enough ? enough / step : 1, p->window);
    p->chunks = (p->window + p->chunk_steps - 1) / p->chunk_steps;
}

lstm_partition lstm_partition_create(const lstm_weights *weights, const lstm_tape *tape,
                                     size_t threads, bool backward)
{
    const lstm_blocked *blocked = &tape->batch.blocked;
    lstm_partition p = {
        .backward = backward,
        .split_units = tape->split_units && threads > 1,
        .queues = threads,
        .chunks = 1,
        .chunk_steps = tape->window,
        .layers = weights->config.layers,
        .steps = tape->batch.steps,
        .window = tape->window,
    };
    if (p.split_units)
        return p;
    size_t rows = rows_of_queue(weights, blocked, threads, backward);
    size_t queues = (blocked->rows + rows - 1) / rows;
    p.queues = common_larger(queues, threads);
    /* A reverse direction needs all steps of the previous layer. */
    if (threads > 1 && weights->directions == 1 && !tape->single)
        set_chunks(&p, weights, blocked->rows);
    return p;
}

lstm_task lstm_partition_begin(const lstm_partition *p, const lstm_tape *tape,
                               size_t thread, size_t threads)
{
    size_t windows = (p->steps + p->window - 1) / p->window;
    lstm_task task = lstm_task_begin(tape->queues, p->queues,
                                     windows * p->layers * p->chunks, thread, threads);
    /* Threads that wait for each other cannot take each other's tasks. */
    if (p->split_units)
        task.count = task.last - task.first;
    return task;
}

lstm_chunk lstm_partition_chunk(const lstm_partition *p, size_t task)
{
    size_t window = task / p->chunks / p->layers * p->window;
    size_t index = task % p->chunks;
    lstm_chunk chunk = {
        .layer = task / p->chunks % p->layers,
        .window = window,
        .window_end = common_smaller(window + p->window, p->steps),
        .first = index == 0,
        .last = index + 1 == p->chunks,
    };
    chunk.start = common_smaller(window + index * p->chunk_steps, chunk.window_end);
    chunk.end = common_smaller(chunk.start + p->chunk_steps, chunk.window_end);
    if (!p->backward)
        return chunk;
    size_t end = p->steps - chunk.start;
    chunk.layer = p->layers - 1 - chunk.layer;
    chunk.start = p->steps - chunk.end;
    chunk.end = end;
    return chunk;
}

lstm_range lstm_partition_range(const lstm_partition *p, const lstm_tape *tape,
                                lstm_team *team, size_t queue)
{
    /* A multiple of the rows of a tile of most instruction sets. */
    enum { ROWS = 4 };
    const lstm_blocked *blocked = &tape->batch.blocked;
    size_t unit = blocked->groups % p->queues ? ROWS : blocked->group_rows;
    lstm_range range = {
        .team = team,
        .thread = queue,
        .threads = p->queues,
        .copy_start = lstm_range_start(blocked->rows, unit, queue, p->queues),
        .copy_end = lstm_range_start(blocked->rows, unit, queue + 1, p->queues),
        .split_units = p->split_units,
    };
    range.row_start = range.split_units ? 0 : range.copy_start;
    range.row_end = range.split_units ? blocked->rows : range.copy_end;
    return range;
}

bool lstm_has_inputs_apart(const lstm_weights *weights, size_t rows)
{
    enum { FEW_ROWS = 2 * LSTM_GROUP_ROWS };
    return rows <= FEW_ROWS && weights->config.precision != LSTM_INT8 &&
           !weights_are_small(weights);
}
