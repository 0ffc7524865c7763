#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/rng.h"
#include "lib/lstm/core/status.h"

/*
 * The bytes of the state, little-endian: 624 words of 32 bits; the number of words
 * used; a word that is 1 if the generator keeps a normal number, else 0; and this
 * number as a double, or 0.
 */
enum {
    USED = 4 * MT19937_SIZE,
    HAS_NORMAL = USED + 4,
    NORMAL = HAS_NORMAL + 4,
};

/* From this count on torch.randperm() uses another algorithm. */
static const size_t permutation_end = UINT32_MAX / 20;

lstm_status lstm_rng_create(lstm_rng **out, uint64_t seed)
{
    if (!out)
        return lstm_fail_null("rng", "out");
    *out = common_alloc_bytes(sizeof(**out));
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
    write_word(state + USED, rng->generator.used);
    write_word(state + HAS_NORMAL, rng->has_normal);
    uint64_t normal = 0;
    if (rng->has_normal)
        memcpy(&normal, &rng->normal, sizeof(normal));
    write_word(state + NORMAL, (uint32_t)normal);
    write_word(state + NORMAL + 4, (uint32_t)(normal >> 32));
    return LSTM_OK;
}

/* Reads the normal number that a state keeps. */
static lstm_status read_normal(lstm_rng *rng, const uint8_t *state)
{
    uint32_t kept = read_word(state + HAS_NORMAL);
    uint64_t normal = read_word(state + NORMAL);
    normal |= (uint64_t)read_word(state + NORMAL + 4) << 32;
    memcpy(&rng->normal, &normal, sizeof(normal));
    rng->has_normal = kept;
    if (kept > 1 || !(kept ? isfinite(rng->normal) : normal == 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: state is not valid: it ends in %08x, %g", (unsigned)kept,
                         rng->normal);
    return LSTM_OK;
}

/* The recurrence reads one bit of the first word and all bits of the other words. If
 * these are 0, they remain 0.
 */
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
    lstm_rng new;
    for (size_t i = 0; i < MT19937_SIZE; i++)
        new.generator.words[i] = read_word(state + 4 * i);
    new.generator.used = read_word(state + USED);
    if (new.generator.used > MT19937_SIZE)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: state is not valid: %u of %d words are used",
                         (unsigned)new.generator.used, MT19937_SIZE);
    if (is_stuck(&new.generator))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: state is not valid: all words are zero");
    lstm_status status = read_normal(&new, state);
    if (!status)
        *rng = new;
    return status;
}
