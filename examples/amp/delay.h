/**
 * @file
 * By how much one sound follows another.
 */
#ifndef EXAMPLES_AMP_DELAY_H
#define EXAMPLES_AMP_DELAY_H

#include <stddef.h>
#include <stdint.h>

/**
 * The delay with about the largest cross-correlation, of either sign, in the loudest
 * part of the sounds. A device that turns the polarity does not matter.
 *
 * @param dry [count]
 * @param wet [count]
 * @param most largest delay and, negative, lead that is tried
 * @return samples by which wet is later than dry; 0 if no delay correlates clearly
 *         better than none, as with a constant tone
 */
int64_t delay_find(const float *dry, const float *wet, size_t count, size_t most);

#endif
