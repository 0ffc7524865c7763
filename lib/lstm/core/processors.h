/**
 * @file
 * The number of processors that this process may use.
 */
#ifndef LSTM_CORE_PROCESSORS_H
#define LSTM_CORE_PROCESSORS_H

#include <stddef.h>

/**
 * Returns the number of processors in the affinity mask, or the quota of the cgroup if
 * that is smaller; at least 1.
 *
 * @param root the folder that contains /proc and /sys: "", or a folder of a test
 */
size_t lstm_usable_processors(const char *root);

#endif
