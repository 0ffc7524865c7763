/**
 * @file
 * The precision that tests of properties run in: they hold in both.
 */
#ifndef TESTS_SUPPORT_PRECISION_H
#define TESTS_SUPPORT_PRECISION_H

#include <stdlib.h>
#include <string.h>

#include <lstm/layer.h>

/** Of layers whose test does not say: that of TEST_PRECISION, fp32 or bf16. */
static inline lstm_precision test_precision(void)
{
    const char *name = getenv("TEST_PRECISION");
    return name && strcmp(name, "bf16") == 0 ? LSTM_BFLOAT16 : LSTM_FLOAT32;
}

#endif
