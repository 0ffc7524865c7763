/**
 * @file
 * The thread pool that all objects share, and the terms for parallel work.
 *
 * Four terms name how work is divided, here and in all folders above:
 *
 *   team    the threads of one parallel call; the calling thread is thread 0
 *   task    what one thread takes next and completes alone (see tasks.h)
 *   chunk   consecutive time steps that are processed together
 *   tile    a block of outputs that a kernel keeps in registers or in a cache
 *
 * Results must not depend on the number of threads: each output is computed by one
 * thread, in an order that does not depend on the team's size. When another caller is
 * using the pool, or the work is too small for a second thread, the team is the calling
 * thread alone.
 */
#ifndef LSTM_CORE_POOL_H
#define LSTM_CORE_POOL_H

#include <stddef.h>

#include <lstm/threads.h>

/** The threads of one parallel call; they synchronise with lstm_team_wait(). */
typedef struct lstm_team lstm_team;

/** The function that each thread of a team calls; thread is from 0 to threads - 1. */
typedef void (*lstm_team_function)(void *context, lstm_team *team, size_t thread,
                                   size_t threads);

/**
 * Calls a function on each thread of a team, and waits until all have returned.
 *
 * @param limit the most threads that are useful, at least 1
 */
void lstm_pool_run(lstm_team_function function, void *context, size_t limit);

/** A barrier: waits until every thread of the team has called it. */
void lstm_team_wait(lstm_team *team);

/**
 * The first of the items that a thread owns when count items are divided evenly among
 * threads, in multiples of unit. Its items end where those of thread + 1 start.
 */
static inline size_t lstm_range_start(size_t count, size_t unit, size_t thread,
                                      size_t threads)
{
    size_t start = (count + unit - 1) / unit * thread / threads * unit;
    return start < count ? start : count;
}

#endif
