/*
 * Sorts the rows of a batch by length.
 */
#include "lib/lstm/nn/batch.h"

#include <string.h>

#include "lib/lstm/core/order.h"

void lstm_batch_plan(lstm_batch *batch, bool training, lstm_arena *memory)
{
    size_t rows = batch->blocked.rows;
    batch->order = lstm_arena_take(memory, rows, sizeof(size_t));
    batch->lengths = lstm_arena_take(memory, rows, sizeof(size_t));
    batch->active = batch->next = batch->row_of = batch->draws = NULL;
    if (!training)
        return;
    batch->active = lstm_arena_take(memory, batch->steps, sizeof(size_t));
    batch->next = lstm_arena_take(memory, batch->steps, sizeof(size_t));
    batch->row_of = lstm_arena_take(memory, rows, sizeof(size_t));
    batch->draws = lstm_arena_take(memory, rows, sizeof(size_t));
}

/* A counting sort: longest first, equal lengths in the caller's order. */
static void sort_rows(lstm_batch *batch, const size_t *lengths)
{
    size_t rows = batch->blocked.rows;
    memset(batch->active, 0, batch->steps * sizeof(size_t));
    for (size_t n = 0; n < rows; n++)
        batch->active[lengths[n] - 1]++;
    for (size_t s = batch->steps - 1; s-- > 0;)
        batch->active[s] += batch->active[s + 1];
    /* Rows of length L come after the longer ones; active[L] is the number of these. */
    for (size_t s = 0; s < batch->steps; s++)
        batch->next[s] = s + 1 < batch->steps ? batch->active[s + 1] : 0;
    for (size_t n = 0; n < rows; n++) {
        size_t row = batch->next[lengths[n] - 1]++;
        batch->order[row] = n;
        batch->lengths[row] = lengths[n];
        batch->row_of[n] = row;
    }
    lstm_packed_order(lengths, batch->draws, rows);
    for (size_t k = 0; k < rows; k++)
        batch->draws[k] = batch->row_of[batch->draws[k]];
}

void lstm_batch_set_lengths(lstm_batch *batch, const size_t *lengths)
{
    size_t rows = batch->blocked.rows;
    if (lengths && batch->active) {
        sort_rows(batch, lengths);
        return;
    }
    if (lengths) {
        lstm_packed_order(lengths, batch->order, rows);
        for (size_t row = 0; row < rows; row++)
            batch->lengths[row] = lengths[batch->order[row]];
        return;
    }
    batch->order = NULL;
    for (size_t n = 0; n < rows; n++)
        batch->lengths[n] = batch->steps;
    for (size_t s = 0; batch->active && s < batch->steps; s++)
        batch->active[s] = rows;
}
