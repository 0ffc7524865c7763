#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/lstm/core/shake.h"

static atomic_uint threads;

/* The state of a thread's generator: threads draw different numbers. */
static uint64_t first_state(void)
{
    const char *text = getenv("LSTM_SHAKE");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
    uint64_t thread = atomic_fetch_add(&threads, 1) + 1;
    return (seed * UINT64_C(0x9e3779b97f4a7c15) ^
            thread * UINT64_C(0xd1342543de82ef95)) |
           1;
}

void lstm_shake(void)
{
    enum { CALLS = 256, SLEEPS = 4, YIELDS = 64, NANOSECONDS = 100000 };
    static _Thread_local uint64_t state;
    if (state == 0)
        state = first_state();
    /* xorshift. */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    unsigned drawn = (unsigned)(state >> 32) % CALLS;
    if (drawn < SLEEPS)
        nanosleep(&(struct timespec){.tv_nsec = (long)(state % NANOSECONDS)}, NULL);
    else if (drawn < YIELDS)
        sched_yield();
}
