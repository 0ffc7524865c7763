/**
 * @file
 * The precision of property tests, which run in float32 and bfloat16.
 */
#ifndef TESTS_SUPPORT_PRECISION_H
#define TESTS_SUPPORT_PRECISION_H

#include <stdlib.h>
#include <string.h>

#include <lstm/layer.h>

/** The precision in the environment variable TEST_PRECISION, fp32 (default) or bf16. */
static inline lstm_precision test_precision(void)
{
    const char *name = getenv("TEST_PRECISION");
    return name && strcmp(name, "bf16") == 0 ? LSTM_BFLOAT16 : LSTM_FLOAT32;
}

#endif
