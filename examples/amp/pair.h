/**
 * @file
 * What goes into a device, and what comes out of it.
 */
#ifndef EXAMPLES_AMP_PAIR_H
#define EXAMPLES_AMP_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/amp/options.h"
#include "examples/wav/wav.h"

/** Samples that belong together; freed with pair_free(). */
typedef struct pair {
    /** [count] each, from pair.dry_all and pair.wet_all on. */
    const float *dry, *wet;
    size_t count;
    uint32_t rate;
    float *dry_all, *wet_all;
} pair;

/**
 * Reads DRY and WET, cuts off options->delay, and tells what may be wrong with them: a
 * delay that remains, samples at full scale, other lengths.
 *
 * @return false after an error message: a file cannot be read, the rates differ, the
 *         lengths differ by more than options->tolerance, little or nothing is left, or
 *         one is silent; with nothing to free
 */
bool pair_read(pair *out, const amp_options *options);

/** Frees the samples. */
void pair_free(pair *sounds);

/** Reads one sound; false after an error message. */
bool pair_read_sound(wav *sound, const char *path, unsigned channel);

#endif
