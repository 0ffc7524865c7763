/**
 * @file
 * bfloat16 values, and the layout of activations in bfloat16.
 *
 * A bfloat16 is the upper half of a float32: 8 significant bits instead of 24, and the
 * same exponents. A pair is two neighbours along the axis that a product sums over: 32
 * bits, with the first one in the lower half. One instruction multiplies two pairs and
 * adds both products to a float32.
 *
 * Products sum activations over channels, and weight gradients sum them over rows of
 * the batch. Activations are therefore stored as both kinds of pairs, in the memory of
 * float32 values. Rows 2 p and 2 p + 1 of a block (see kernels.h) are two cache lines:
 *
 *     row 2 p:     16 channels        row 2 p + 1: 16 channels       pairs of channels
 *     channel 0: rows 2 p, 2 p + 1    channel 1: ...   channel 15    pairs of rows
 *
 * Without such an instruction a product needs both values of a pair in a register each.
 * In training a table without it therefore reads wide values: a float32 for each, which
 * holds a bfloat16, in the layout of float32. Its sums have the order of those over
 * pairs, in which the second product of a pair is added before the first. Rows 2 p and
 * 2 p + 1, and channels 2 k and 2 k + 1 of a segment, are pairs in this sense. In the
 * panels of weights these channels are exchanged, so that a product reads them in the
 * order of memory.
 *
 * Groups have an even number of rows. When the number of active rows is odd, the
 * missing row is zero in the pairs of rows, so that sums over them are correct. Its
 * pairs of channels are unspecified; no kernel reads them. The missing row of wide
 * values is zero.
 */
#ifndef LSTM_KERNELS_PAIRS_H
#define LSTM_KERNELS_PAIRS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/lstm/kernels/kernels.h"

/*
 * Defines the rounding of float32 to bfloat16. It is a macro because bits_type is
 * uint32_t or a vector of it. The result is in the upper half; the lower half is zero.
 * The rounding is that of AVX512_BF16: to nearest, ties to even; denormal numbers
 * become zeros, and NaN stays NaN.
 */
#define LSTM_DEFINE_BF16_ROUND(name, bits_type)                                        \
    static inline bits_type name(bits_type bits)                                       \
    {                                                                                  \
        bits_type sign = bits & 0x80000000u, size = bits & 0x7fffffffu;                \
        /* Masks from the sign of a difference. */                                     \
        bits_type nan = -((0x7f800000u - size) >> 31);                                 \
        bits_type tiny = -((size - 0x00800000u) >> 31);                                \
        bits_type rounded = bits + 0x7fffu + (bits >> 16 & 1u);                        \
        rounded = (nan & (bits | 0x400000u)) | (~nan & rounded);                       \
        return ((tiny & sign) | (~tiny & rounded)) & 0xffff0000u;                      \
    }

LSTM_DEFINE_BF16_ROUND(lstm_bf16_round, uint32_t)

/** The nearest bfloat16. */
static inline uint16_t lstm_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return (uint16_t)(lstm_bf16_round(bits) >> 16);
}

/** A bfloat16 as float32, which is exact. */
static inline float lstm_bf16_float(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/** Stores a pair in a float, which is not used in arithmetic. */
static inline float lstm_pair(uint16_t first, uint16_t second)
{
    uint32_t bits = first | (uint32_t)second << 16;
    float pair;
    memcpy(&pair, &bits, sizeof(pair));
    return pair;
}

/** Reads one row of a block of pairs as float32. */
static inline void lstm_pairs_load(const float *block, size_t row, float *to)
{
    uint16_t bits[LSTM_BLOCK];
    memcpy(bits, block + row / 2 * 2 * LSTM_BLOCK + row % 2 * (LSTM_BLOCK / 2),
           sizeof(bits));
    for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
        to[lane] = lstm_bf16_float(bits[lane]);
}

/** Rounds and writes one row of a block of pairs. Write the even row of a pair first:
 *  it sets the odd row to zero in the pairs of rows. */
static inline void lstm_pairs_store(float *block, size_t row, const float *from)
{
    float *rows_of_pair = block + row / 2 * 2 * LSTM_BLOCK;
    uint16_t bits[LSTM_BLOCK], rows[LSTM_BLOCK][2];
    memcpy(rows, rows_of_pair + LSTM_BLOCK, sizeof(rows));
    for (size_t lane = 0; lane < LSTM_BLOCK; lane++) {
        bits[lane] = lstm_bf16(from[lane]);
        rows[lane][row % 2] = bits[lane];
        if (row % 2 == 0)
            rows[lane][1] = 0;
    }
    memcpy(rows_of_pair + row % 2 * (LSTM_BLOCK / 2), bits, sizeof(bits));
    memcpy(rows_of_pair + LSTM_BLOCK, rows, sizeof(rows));
}

#endif
