/**
 * @file
 * The pool of threads that all objects share.
 *
 * A parallel region gives each of its threads a share of the work. Results must not
 * depend on how many there are: a share owns its outputs. When another caller is using
 * the pool, or the work is too small, a region runs with one share on the calling
 * thread.
 */
#ifndef LSTM_CORE_POOL_H
#define LSTM_CORE_POOL_H

#include <stddef.h>

#include <lstm/threads.h>

/** A parallel region: what its shares wait for each other with. */
typedef struct lstm_team lstm_team;

/** Does share number share of shares of the work. */
typedef void (*lstm_work)(void *work, lstm_team *team, size_t share, size_t shares);

/**
 * Runs a region on at most limit threads, the calling one included, and waits for it.
 *
 * @param limit most shares that are of use, at least 1
 */
void lstm_pool_run(lstm_work function, void *work, size_t limit);

/** Waits until every share of the region has come here. */
void lstm_team_wait(lstm_team *team);

/** First item of a share when count items are dealt out evenly, in units of unit. */
static inline size_t lstm_share_start(size_t count, size_t unit, size_t share,
                                      size_t shares)
{
    size_t start = (count + unit - 1) / unit * share / shares * unit;
    return start < count ? start : count;
}

#endif
