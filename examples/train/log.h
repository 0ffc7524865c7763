/**
 * @file
 * The log of a run, which a resumed run continues.
 */
#ifndef EXAMPLES_TRAIN_LOG_H
#define EXAMPLES_TRAIN_LOG_H

#include <stdio.h>

#include "examples/train/options.h"
#include "examples/train/page.h"
#include "examples/train/trainer.h"

/** Refuses a log that exists already, unless the run is resumed or --force is given;
 *  false after an error message. */
bool log_check(const train_options *options);

/**
 * Opens the log and writes its header line, if it has one, or continues the log of an
 * earlier part.
 *
 * A log is continued if it has the line of the last step in the checkpoint with the
 * same loss. Lines after it are of steps that this part does again: they are removed,
 * by replacing the file as a whole. All lines are, of a log that the checkpoint names,
 * if it has no step yet: the run was killed before the next checkpoint.
 *
 * @param[out] log NULL without --log
 * @param page receives the lines that stay
 * @return false after an error message
 */
bool log_open(FILE **log, const train_options *options, const train_state *trainer,
              train_page *page);

#endif
