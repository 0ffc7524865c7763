/**
 * @file
 * Masks of signals for WASI, which has no signals.
 */
#ifndef LSTM_WASI_SIGNAL_H
#define LSTM_WASI_SIGNAL_H

#define sigset_t    lstm_wasi_signals
#define SIG_SETMASK 2
typedef unsigned char lstm_wasi_signals;

static inline int sigfillset(sigset_t *set)
{
    *set = 0xff;
    return 0;
}

#endif
