/**
 * @file
 * Shaken schedules, for tests: with the build option shake, threads pause at random
 * wherever they synchronise, so that they meet in orders that are rare otherwise.
 * Without it lstm_shake() is nothing.
 */
#ifndef LSTM_CORE_SHAKE_H
#define LSTM_CORE_SHAKE_H

#if defined(LSTM_SHAKE)
/** Goes on at once, gives the processor to another thread, or sleeps up to 100
 *  microseconds; LSTM_SHAKE in the environment is the seed. */
void lstm_shake(void);
#else
static inline void lstm_shake(void)
{
}
#endif

#endif
