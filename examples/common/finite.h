/**
 * @file
 * Parameters that are numbers.
 */
#ifndef EXAMPLES_COMMON_FINITE_H
#define EXAMPLES_COMMON_FINITE_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/params.h>

/** Whether all parameters are finite; else why names the first that is not. */
bool finite_check(const lstm_params *params, const char *path, char *why, size_t size);

#endif
