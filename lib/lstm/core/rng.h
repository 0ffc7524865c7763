/**
 * @file
 * The private part of a random generator.
 */
#ifndef LSTM_CORE_RNG_H
#define LSTM_CORE_RNG_H

#include <stdbool.h>

#include <lstm/rng.h>

#include "lib/common/mt19937.h"

struct lstm_rng {
    mt19937 generator;
    /** The second number of a pair that lstm_rng_normal() drew, until it is used. */
    bool has_normal;
    double normal;
};

/** Draws x of [0, 1) as PyTorch does for float32: the low 24 bits of a word. */
static inline float lstm_rng_unit(lstm_rng *rng)
{
    return (float)(mt19937_next32(&rng->generator) & 0xffffffu) * 0x1p-24f;
}

#endif
