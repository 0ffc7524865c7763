/**
 * @file
 * Products of int8 weights: the numbers, and their layout.
 *
 * A row of weights w is stored as integers q from -127 to 127 and one scale s:
 *
 *     s = max |w| / 127, with the last 7 bits of its significand zero
 *     q = w / s, rounded to the nearest integer, ties to even
 *
 * q s is then an exact float32, and rounding the row q s again gives the same q and s.
 * If s would be denormal, s and all q are zero.
 *
 * A row of activations a is rounded when a product reads it. Each part of at most 1,024
 * channels of a segment has an exponent e, the smallest integer of at least -100 for
 * which all |a| < 2^e:
 *
 *     A = a 2^(14 - e), rounded to the nearest integer, ties to even
 *     product of the part = s ((sum over k of q A, exact, rounded to float32) 2^(e -
 * 14))
 *
 * Products of parts are added to the bias in order, each with one fused multiply-add:
 * first those of x, then those of h. 127 * 2^14 * 1024 < 2^31, so an int32 holds the
 * sum. It is exact, so its order does not matter, and neither do the set of kernels and
 * the number of threads. If a part has an infinity or a NaN, its product is NaN.
 *
 * Why integers: with float32 sums each weight needs a conversion and a multiply-add.
 * On processors with AVX-512 these take longer than reading a float32 weight from the
 * second-level cache. Integer products of 4 weights are one instruction, or two
 * instructions for 2 weights each.
 *
 * In packed weights, one position of k is a quad: the bytes of 4 neighbouring channels,
 * each q + 128. Bytes 0 and 2 are the first two channels, bytes 1 and 3 the next two:
 * the even and the odd bytes of a quad are then two pairs of neighbours. Padding has
 * the byte 128, which is q = 0.
 */
#ifndef LSTM_KERNELS_BYTES_H
#define LSTM_KERNELS_BYTES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Channels of a part, channels of a quad, bits of an activation without its sign, and
 * what a byte of packed weights adds to q. */
enum {
    LSTM_BYTE_CHANNELS = 1024,
    LSTM_QUAD = 4,
    LSTM_ACTIVATION_BITS = 14,
    LSTM_BYTE_ZERO = 128
};

/** The largest q. */
enum { LSTM_BYTE_MOST = 127 };

/** The scale of a row of weights, which are finite. */
static inline float lstm_byte_scale(const float *row, size_t count)
{
    float most = 0;
    for (size_t k = 0; k < count; k++)
        most = fabsf(row[k]) > most ? fabsf(row[k]) : most;
    float scale = most / (float)LSTM_BYTE_MOST;
    uint32_t bits;
    memcpy(&bits, &scale, sizeof(bits));
    bits = bits < 0x00800000u ? 0 : bits & ~0x7fu;
    memcpy(&scale, &bits, sizeof(scale));
    return scale;
}

/** q of a weight. */
static inline int lstm_byte(float weight, float scale)
{
    return scale > 0 ? (int)rintf(weight / scale) : 0;
}

/** The byte of a quad that has one of its channels. */
static inline size_t lstm_quad_byte(size_t channel)
{
    return channel % 2 * 2 + channel / 2 % 2;
}

#endif
