/**
 * @file
 * The thread pool that all objects share, and the terms for parallel work.
 *
 * Four terms describe the division of work, in this folder and in all that use it:
 *
 *   team the threads of one parallel call; the calling thread is thread 0 task a unit
 *   of work that one thread takes and completes alone (see tasks.h) chunk consecutive
 *   time steps that are processed together tile a block of outputs that a kernel keeps
 *   in registers or in a cache
 *
 * Results must not depend on the number of threads: each output is computed by one
 * thread, in an order that does not depend on the size of the team. When another caller
 * uses the pool, or the work is too small for a second thread, the calling thread is
 * the whole team.
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
 * @param limit maximum number of threads that are useful, at least 1
 */
void lstm_pool_run(lstm_team_function function, void *context, size_t limit);

/** A barrier: waits until every thread of the team has called it. */
void lstm_team_wait(lstm_team *team);

/**
 * The first item of a thread when count items are divided evenly among threads, in
 * multiples of unit. The items of a thread end at the first item of thread + 1.
 */
static inline size_t lstm_range_start(size_t count, size_t unit, size_t thread,
                                      size_t threads)
{
    size_t start = (count + unit - 1) / unit * thread / threads * unit;
    return start < count ? start : count;
}

#endif
