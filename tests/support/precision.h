/**
 * @file
 * The precision of property tests, which run in several precisions.
 */
#ifndef TESTS_SUPPORT_PRECISION_H
#define TESTS_SUPPORT_PRECISION_H

#include <stdlib.h>
#include <string.h>

#include <lstm/layer.h>

/** The precision in the environment variable TEST_PRECISION: fp32 (default), bf16 or
 * int8. */
static inline lstm_precision test_precision(void)
{
    const char *name = getenv("TEST_PRECISION");
    if (name && strcmp(name, "bf16") == 0)
        return LSTM_BFLOAT16;
    return name && strcmp(name, "int8") == 0 ? LSTM_INT8 : LSTM_FLOAT32;
}

#endif
