/**
 * @file
 * The order of the rows of a batch, and their lengths.
 *
 * Rows are sorted by length, longest first, so that the rows that are active at a step
 * are the first ones.
 */
#ifndef LSTM_NN_BATCH_H
#define LSTM_NN_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/lstm/core/arena.h"
#include "lib/lstm/nn/blocked.h"

/** Rows and steps of a batch. */
typedef struct lstm_batch {
    lstm_blocked blocked;
    /** T. */
    size_t steps;
    /** [N] index of each row in the caller's batch; NULL when the order is the same. */
    size_t *order;
    /** [N] steps of each row; non-increasing. */
    size_t *lengths;
    /** [T] active rows of each step; non-increasing. NULL in evaluation. */
    size_t *active;
    /** [T] scratch of the sort. */
    size_t *next;
    /** [N] row of each row of the caller's batch, and the rows in the order in which
     * PyTorch draws their masks. Valid with order in training. */
    size_t *row_of, *draws;
} lstm_batch;

/** Lays out the arrays of a batch. In evaluation their size does not depend on the
 * steps. */
void lstm_batch_plan(lstm_batch *batch, bool training, lstm_arena *memory);

/** Sorts the rows by their lengths; NULL when all lengths are T. */
void lstm_batch_set_lengths(lstm_batch *batch, const size_t *lengths);

/** Number of active rows at a step. */
static inline size_t lstm_batch_active(const lstm_batch *batch, size_t step)
{
    if (batch->active)
        return batch->active[step];
    /* A binary search for the first row that is not longer than step. */
    size_t low = 0, high = batch->blocked.rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (batch->lengths[middle] > step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** Index of a row in the caller's batch. */
static inline size_t lstm_batch_caller_row(const lstm_batch *batch, size_t row)
{
    return batch->order ? batch->order[row] : row;
}

#endif
