/**
 * @file
 * The table of all options of mnist-train.
 */
#ifndef EXAMPLES_TRAIN_TABLE_H
#define EXAMPLES_TRAIN_TABLE_H

#include "examples/common/options.h"

/** Has at most TRAIN_MAX_OPTIONS rows, with fields of train_options. */
extern const option_table train_options_table;

#endif
