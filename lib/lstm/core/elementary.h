/**
 * @file
 * exp, log and powers in double precision, out of additions, multiplications and
 * divisions alone.
 *
 * Those of C libraries differ in their last bit from one version to the next and,
 * within one, from processor to processor. These give the same bits everywhere, and are
 * off by at most two units of the last place.
 */
#ifndef LSTM_CORE_ELEMENTARY_H
#define LSTM_CORE_ELEMENTARY_H

#include <stdint.h>

/** exp(x) for x up to 0; 0 below -708, far below what float32 holds. A NaN stays. */
double lstm_exp(double x);

/** log(x) for normal positive x; a NaN stays. */
double lstm_log(double x);

/** base to the power of exponent; each doubling of the exponent rounds once. */
double lstm_power(double base, uint64_t exponent);

#endif
