/**
 * @file
 * When to write checkpoints within an epoch.
 */
#ifndef EXAMPLES_TRAIN_INTERVAL_H
#define EXAMPLES_TRAIN_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A number of steps or of seconds; zeros: never. */
typedef struct train_interval {
    uint64_t steps;
    double seconds;
} train_interval;

/** Parses steps such as "1000", or a time such as "600s" or "10m", into a
 *  train_interval. Writes a reason to why, [size], on failure. */
bool interval_parse(void *field, const char *text, char *why, size_t size);

#endif
