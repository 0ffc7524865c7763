/**
 * @file
 * exp, log and powers in double precision, from additions, multiplications and
 * divisions only.
 *
 * The results of C libraries differ in the last bit between versions and processors.
 * These functions give the same bits everywhere; their error is at most two units in
 * the last place.
 */
#ifndef LSTM_CORE_ELEMENTARY_H
#define LSTM_CORE_ELEMENTARY_H

#include <stdint.h>

/** exp(x) for x <= 0; 0 below -708, which is far outside the range of float32. NaN
 * gives NaN. */
double lstm_exp(double x);

/** log(x) for normal x > 0. NaN gives NaN. */
double lstm_log(double x);

/** base to the power of exponent, by repeated squaring. */
double lstm_power(double base, uint64_t exponent);

#endif
