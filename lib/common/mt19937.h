/**
 * @file
 * The Mersenne Twister mt19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), with the
 * same streams as PyTorch's CPU generator.
 */
#ifndef COMMON_MT19937_H
#define COMMON_MT19937_H

#include <stddef.h>
#include <stdint.h>

#include "lib/common/names.h"

/** Words of the state. */
enum { MT19937_SIZE = 624 };

/** A generator: its words, and the number of words drawn from them. */
typedef struct mt19937 {
    uint32_t words[MT19937_SIZE];
    uint32_t used;
} mt19937;

/** Seeds a generator, as init_genrand() in the code of the paper does. */
void mt19937_seed(mt19937 *generator, uint32_t seed);

/** Draws one tempered word. */
uint32_t mt19937_next32(mt19937 *generator);

/** Draws two words, the first in the high half. */
uint64_t mt19937_next64(mt19937 *generator);

/**
 * Draws a permutation of 0 to count - 1, as torch.randperm() does: for each i from 0
 * on, elements i and i + word mod (count - i) are swapped. The bias of the modulo is
 * PyTorch's, too.
 */
void mt19937_permutation(mt19937 *generator, uint32_t *order, uint32_t count);

#endif
