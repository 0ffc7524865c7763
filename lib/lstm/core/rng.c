#include <stdbool.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/rng.h"
#include "lib/lstm/core/status.h"

/*
 * The state as bytes: the words, how many of them are used, and zeros up to a multiple
 * of 8; each little-endian of 32 bits.
 */
enum { STATE_WORDS = LSTM_RNG_STATE_SIZE / 4 };

/* From this count on torch.randperm() takes another way. */
static const size_t permutation_end = UINT32_MAX / 20;

lstm_status lstm_rng_create(lstm_rng **out, uint64_t seed)
{
    if (!out)
        return lstm_fail_null("rng", "out");
    *out = common_alloc(1, sizeof(**out));
    if (!*out)
        return lstm_fail_memory("rng");
    mt19937_seed(&(*out)->generator, (uint32_t)seed);
    return LSTM_OK;
}

void lstm_rng_destroy(lstm_rng **rng)
{
    if (!rng)
        return;
    common_free(*rng);
    *rng = NULL;
}

uint64_t lstm_rng_next(lstm_rng *rng)
{
    return rng ? mt19937_next64(&rng->generator) : 0;
}

lstm_status lstm_rng_permutation(lstm_rng *rng, int64_t *order, size_t count)
{
    if (!rng)
        return lstm_fail_null("rng", "rng");
    if (!order)
        return lstm_fail_null("rng", "order");
    if (count >= permutation_end)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "rng: count is %zu, expected below %zu",
                         count, permutation_end);
    for (size_t i = 0; i < count; i++)
        order[i] = (int64_t)i;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t other = i + mt19937_next32(&rng->generator) % (count - i);
        int64_t index = order[i];
        order[i] = order[other];
        order[other] = index;
    }
    return LSTM_OK;
}

static void write_word(uint8_t *bytes, uint32_t word)
{
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(word >> 8 * i);
}

static uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

lstm_status lstm_rng_get_state(const lstm_rng *rng, uint8_t *state)
{
    if (!rng)
        return lstm_fail_null("rng", "rng");
    if (!state)
        return lstm_fail_null("rng", "state");
    for (size_t i = 0; i < MT19937_SIZE; i++)
        write_word(state + 4 * i, rng->generator.words[i]);
    write_word(state + 4 * (size_t)MT19937_SIZE, rng->generator.used);
    for (size_t i = MT19937_SIZE + 1; i < STATE_WORDS; i++)
        write_word(state + 4 * i, 0);
    return LSTM_OK;
}

/* The recurrence sees one bit of the first word and all others, and never leaves 0. */
static bool is_stuck(const mt19937 *generator)
{
    uint32_t any = generator->words[0] & 0x80000000u;
    for (size_t i = 1; i < MT19937_SIZE; i++)
        any |= generator->words[i];
    return any == 0;
}

lstm_status lstm_rng_set_state(lstm_rng *rng, const uint8_t *state)
{
    if (!rng)
        return lstm_fail_null("rng", "rng");
    if (!state)
        return lstm_fail_null("rng", "state");
    mt19937 generator;
    for (size_t i = 0; i < MT19937_SIZE; i++)
        generator.words[i] = read_word(state + 4 * i);
    generator.used = read_word(state + 4 * (size_t)MT19937_SIZE);
    if (generator.used > MT19937_SIZE)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: state has %u of %d words used, it is none",
                         (unsigned)generator.used, MT19937_SIZE);
    for (size_t i = MT19937_SIZE + 1; i < STATE_WORDS; i++)
        if (read_word(state + 4 * i))
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "rng: state does not end in zeros, it is none");
    if (is_stuck(&generator))
        return lstm_fail(LSTM_INVALID_ARGUMENT, "rng: state is all zeros, it is none");
    rng->generator = generator;
    return LSTM_OK;
}
