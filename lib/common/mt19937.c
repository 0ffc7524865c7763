#include "lib/common/mt19937.h"

/* Constants of the recurrence, from the paper. */
enum { SHIFT = 397 };
static const uint32_t matrix = 0x9908b0dfu;
static const uint32_t upper = 0x80000000u;
static const uint32_t lower = 0x7fffffffu;

void mt19937_seed(mt19937 *generator, uint32_t seed)
{
    uint32_t *words = generator->words;
    words[0] = seed;
    for (uint32_t i = 1; i < MT19937_SIZE; i++)
        words[i] = 1812433253u * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
    generator->used = MT19937_SIZE;
}

/* The next word of the recurrence, computed from a word, its successor, and the word
 * SHIFT positions later. */
static uint32_t twist(uint32_t word, uint32_t successor, uint32_t later)
{
    uint32_t mixed = (word & upper) | (successor & lower);
    return later ^ (mixed >> 1) ^ (successor & 1 ? matrix : 0);
}

static void refill(mt19937 *generator)
{
    uint32_t *words = generator->words;
    for (uint32_t i = 0; i < MT19937_SIZE; i++)
        words[i] = twist(words[i], words[(i + 1) % MT19937_SIZE],
                         words[(i + SHIFT) % MT19937_SIZE]);
    generator->used = 0;
}

uint32_t mt19937_next32(mt19937 *generator)
{
    if (generator->used >= MT19937_SIZE)
        refill(generator);
    uint32_t word = generator->words[generator->used++];
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c5680u;
    word ^= (word << 15) & 0xefc60000u;
    return word ^ (word >> 18);
}

uint64_t mt19937_next64(mt19937 *generator)
{
    uint64_t high = mt19937_next32(generator);
    return high << 32 | mt19937_next32(generator);
}

void mt19937_permutation(mt19937 *generator, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t other = i + mt19937_next32(generator) % (count - i);
        uint32_t index = order[i];
        order[i] = order[other];
        order[other] = index;
    }
}
