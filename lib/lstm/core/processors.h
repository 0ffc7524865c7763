/**
 * @file
 * How many processors this process may use.
 */
#ifndef LSTM_CORE_PROCESSORS_H
#define LSTM_CORE_PROCESSORS_H

#include <stddef.h>

/**
 * Processors of the affinity mask, or of the quota of the cgroup when that is less, at
 * least 1.
 *
 * @param root folder that /proc and /sys are in: "", or a test's
 */
size_t lstm_usable_processors(const char *root);

#endif
