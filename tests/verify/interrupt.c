#include <stddef.h>

#include "tests/verify/interrupt.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static volatile sig_atomic_t arrived;
static sigset_t before;

static void keep(int number)
{
    arrived = number;
}

void interrupt_keep(void)
{
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action;
        sigaction(signals[i], NULL, &action);
        if (action.sa_handler == SIG_IGN)
            continue;
        action = (struct sigaction){.sa_handler = keep};
        sigaction(signals[i], &action, NULL);
        if (signals[i] != SIGPIPE)
            sigaddset(&held, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &held, &before);
}

const sigset_t *interrupt_mask(void)
{
    return &before;
}

bool interrupt_arrived(void)
{
    return arrived != 0;
}

void interrupt_obey(void)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!arrived)
        return;
    signal(arrived, SIG_DFL);
    raise(arrived);
}
