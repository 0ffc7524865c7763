/**
 * @file
 * The files that a command writes.
 */
#ifndef EXAMPLES_AMP_FILES_H
#define EXAMPLES_AMP_FILES_H

#include <stdbool.h>

#include <lstm/lstm.h>

#include "examples/amp/export.h"
#include "examples/amp/options.h"

/** Values of a parameter; NULL if the set has none of this name. */
const float *files_parameter(const lstm_params *params, const char *name);

/** Whether a file can be written: it is new, or --force is given. False after an error
 *  message. */
bool files_may_replace(const char *path, const amp_options *options);

/** Whether a model can be written to all files, before long work; false after an error
 *  message. */
bool files_may_write(const export_model *model, const amp_options *options);

#endif
