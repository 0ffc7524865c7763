#include "lib/lstm/core/turns.h"

#include "lib/lstm/core/pool.h"

void lstm_chains_reset(lstm_chain *chains, size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_init(&chains[i].next, 0);
}

lstm_turn lstm_turn_begin(lstm_chain *chains, size_t count, size_t slices, size_t share,
                          size_t shares)
{
    lstm_turn turn = {.chains = chains, .count = count, .slices = slices};
    turn.first = lstm_share_start(count, 1, share, shares);
    turn.last = lstm_share_start(count, 1, share + 1, shares);
    turn.own = turn.last;
    return turn;
}

static bool take(lstm_turn *turn, size_t chain)
{
    atomic_size_t *next = &turn->chains[chain].next;
    size_t at = atomic_load_explicit(next, memory_order_relaxed);
    if (at % 2 || at / 2 == turn->slices ||
        !atomic_compare_exchange_strong_explicit(
            next, &at, at + 1, memory_order_acquire, memory_order_relaxed))
        return false;
    turn->chain = chain;
    turn->slice = at / 2;
    return true;
}

bool lstm_turn_take(lstm_turn *turn)
{
    size_t own = turn->last - turn->first;
    for (size_t i = 0; i < own; i++) {
        turn->own = turn->own + 1 < turn->last ? turn->own + 1 : turn->first;
        if (take(turn, turn->own))
            return true;
    }
    for (size_t i = 0; i < turn->count - own; i++)
        if (take(turn, (turn->last + i) % turn->count))
            return true;
    return false;
}

void lstm_turn_give(const lstm_turn *turn)
{
    atomic_store_explicit(&turn->chains[turn->chain].next, 2 * (turn->slice + 1),
                          memory_order_release);
}
