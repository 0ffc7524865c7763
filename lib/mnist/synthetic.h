/**
 * @file
 * The generator of synthetic digits.
 */
#ifndef MNIST_SYNTHETIC_H
#define MNIST_SYNTHETIC_H

#include <mnist/mnist.h>

/**
 * Random numbers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), with one word of
 * state. It is cheap to seed, so each digit has its own generator.
 */
typedef struct mnist_random {
    uint64_t state;
} mnist_random;

/** Draws 64 bits. */
uint64_t mnist_random_next(mnist_random *random);

/**
 * Draws one digit.
 *
 * @param[out] out [28, 28]
 * @param digit 0 to 9
 * @param seed any value
 */
void mnist_synthetic_draw(uint8_t *out, int digit, uint64_t seed);

#endif
