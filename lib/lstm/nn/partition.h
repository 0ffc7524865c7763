/**
 * @file
 * The partition of a pass among the threads of a team.
 *
 * Rows do not depend on each other, so each queue is for some of the rows. Its tasks
 * are chunks of steps, layer by layer. If there are too few rows, each thread computes
 * some hidden units of all rows instead, and waits for the others at each step. Results
 * do not depend on the partition.
 */
#ifndef LSTM_NN_PARTITION_H
#define LSTM_NN_PARTITION_H

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/tasks.h"
#include "lib/lstm/nn/tape.h"

/** Queues of a pass and the tasks in each: the chunks of each layer in each window of
 * steps. A backward pass has layers and chunks in reverse order. */
typedef struct lstm_partition {
    bool backward, split_units;
    size_t queues;
    /** Chunks of a window, and steps of a chunk. */
    size_t chunks, chunk_steps;
    size_t layers, steps, window;
} lstm_partition;

/** Number of threads that a pass can use. Also sets tape->split_units. */
size_t lstm_partition_threads(const lstm_weights *weights, lstm_tape *tape);

/** The partition among this number of threads. */
lstm_partition lstm_partition_create(const lstm_weights *weights, const lstm_tape *tape,
                                     size_t threads, bool backward);

/** Initialises a thread's position in the queues of the tape. */
lstm_task lstm_partition_begin(const lstm_partition *partition, const lstm_tape *tape,
                               size_t thread, size_t threads);

/** The steps of a task: start to end of a layer. */
typedef struct lstm_chunk {
    size_t layer, start, end;
    /** The steps in the buffers, which include these steps. */
    size_t window, window_end;
    /** The first or the last chunk of the window in its layer. */
    bool first, last;
} lstm_chunk;

/** The layer and steps of a task. */
lstm_chunk lstm_partition_chunk(const lstm_partition *partition, size_t task);

/** The rows and blocks that a task computes. */
typedef struct lstm_range {
    lstm_team *team;
    /** With split_units: the thread that computes the units, and the number of threads.
     */
    size_t thread, threads;
    /** Rows of copies, and of the computation. */
    size_t copy_start, copy_end, row_start, row_end;
    bool split_units;
} lstm_range;

/** The range of the tasks of a queue. */
lstm_range lstm_partition_range(const lstm_partition *partition, const lstm_tape *tape,
                                lstm_team *team, size_t queue);

/** All rows and blocks of a batch, on the calling thread alone. */
static inline lstm_range lstm_range_all(const lstm_batch *batch)
{
    size_t rows = batch->blocked.rows;
    return (lstm_range){.threads = 1, .copy_end = rows, .row_end = rows};
}

/** First block of the range, in multiples of unit; with after = 1 the end of its
 * blocks. */
static inline size_t lstm_range_block(const lstm_range *range, size_t blocks,
                                      size_t unit, size_t after)
{
    if (!range->split_units)
        return after ? blocks : 0;
    return lstm_range_start(blocks, unit, range->thread + after, range->threads);
}

/** Waits for the other threads, whose results this thread reads next. */
static inline void lstm_range_sync(const lstm_range *range)
{
    if (range->split_units)
        lstm_team_wait(range->team);
}

/** Whether the products of some rows with weight_ih are computed for many steps at
 * once, apart from those of h: the weights do not fit into the second-level cache, and
 * with few rows a step reads them for longer than it uses them. */
bool lstm_has_inputs_apart(const lstm_weights *weights, size_t rows);

#endif
