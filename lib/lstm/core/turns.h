/**
 * @file
 * Work in chains of slices that the shares of a region take in turns.
 *
 * A share has chains of its own and goes round them, a slice at a time. When its own
 * are done it takes slices of others' chains: where the machine has kept a share
 * waiting, the rest of its work does not wait for it. A slice comes after those before
 * it in its chain and sees all that they have written; chains do not know of each
 * other. Who does a slice must not change its result.
 */
#ifndef LSTM_CORE_TURNS_H
#define LSTM_CORE_TURNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/common/memory.h"

/** How far a chain is; a cache line of its own, because others look at it. */
typedef struct lstm_chain {
    /** Twice the slices that are done, and 1 more while somebody has the next one. */
    _Alignas(COMMON_ALIGNMENT) atomic_size_t next;
} lstm_chain;

/** A share's way through the chains of a region. */
typedef struct lstm_turn {
    lstm_chain *chains;
    size_t count, slices;
    /** Chains of its own, and the one of them that it had last. */
    size_t first, last, own;
    /** The slice at hand. */
    size_t chain, slice;
} lstm_turn;

/** Makes chains ready, before the region in which they are taken. */
void lstm_chains_reset(lstm_chain *chains, size_t count);

/** Before the first slice: count chains of so many slices each. */
lstm_turn lstm_turn_begin(lstm_chain *chains, size_t count, size_t slices, size_t share,
                          size_t shares);

/** Takes the next slice; false when each slice that is left is in a chain that another
 * share has, which will do it. */
bool lstm_turn_take(lstm_turn *turn);

/** Gives the chain at hand back when its slice is done. */
void lstm_turn_give(const lstm_turn *turn);

#endif
