/**
 * @file
 * The Mersenne Twister mt19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), read the
 * way PyTorch's CPU generator is read.
 */
#ifndef COMMON_MT19937_H
#define COMMON_MT19937_H

#include <stddef.h>
#include <stdint.h>

/** Words of the state. */
enum { MT19937_SIZE = 624 };

/** A generator: its words, and how many of them have been handed out. */
typedef struct mt19937 {
    uint32_t words[MT19937_SIZE];
    uint32_t used;
} mt19937;

/** Seeds a generator: the reference init_genrand(). */
void mt19937_seed(mt19937 *generator, uint32_t seed);

/** Draws one tempered word. */
uint32_t mt19937_next32(mt19937 *generator);

/** Draws two words, the first in the high half. */
uint64_t mt19937_next64(mt19937 *generator);

/**
 * Draws a permutation of 0 to count - 1 into order, as torch.randperm() does: for i in
 * order, position i swaps with i + word mod (count - i). The modulo is biased on
 * purpose.
 */
void mt19937_permutation(mt19937 *generator, uint32_t *order, uint32_t count);

#endif
