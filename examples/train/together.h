/**
 * @file
 * Options of mnist-train that need or exclude each other.
 */
#ifndef EXAMPLES_TRAIN_TOGETHER_H
#define EXAMPLES_TRAIN_TOGETHER_H

#include "examples/train/options.h"

/** What --resume excludes: -1, or the exit status after an error message. */
int together_check_resume(const train_options *options);

/** The same for all options. */
int together_check(const train_options *options);

#endif
