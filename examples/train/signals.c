#include <signal.h>
#include <stddef.h>

#include "examples/train/signals.h"

volatile bool signals_stop;
static volatile sig_atomic_t received;

static const struct ending {
    int number;
    const char *name;
} endings[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

static void note(int number)
{
    if (received) {
        /* The signal is blocked here; its default action follows at the end. */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    received = number;
    signals_stop = true;
}

void signals_handle(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ENDINGS; i++)
        if (sigaction(endings[i].number, NULL, &before) == 0 &&
            before.sa_handler != SIG_IGN)
            sigaction(endings[i].number, &action, NULL);
    /* A pipe without a reader is a failed write, after which the model is saved. */
    signal(SIGPIPE, SIG_IGN);
}

void signals_note_other(void)
{
    if (!received)
        received = SIGTERM;
    signals_stop = true;
}

int signals_status(void)
{
    return received ? 128 + (int)received : 0;
}

const char *signals_name(void)
{
    for (size_t i = 0; i < ENDINGS; i++)
        if (endings[i].number == received)
            return endings[i].name;
    return NULL;
}
