/**
 * @file
 * Runs that diverge, in words: what was seen, a likely cause, and what to try.
 */
#ifndef EXAMPLES_TRAIN_DIVERGE_H
#define EXAMPLES_TRAIN_DIVERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/train/line.h"
#include "examples/train/options.h"

/** Says that the loss of a step is not a finite number; returns false. */
bool diverge_loss(const train_line *line, const train_options *options);

/**
 * Whether the mean loss of an epoch says that the network learns nothing: it is more
 * than a twentieth above the loss of the first step, as batches differ. A network that
 * had learned already, as with --load, may become worse at first, but not than halfway
 * to guessing.
 *
 * @param first the loss of the first step of the run; negative if it is not known
 * @param[out] start the loss that it is compared with
 */
bool diverge_found(double mean, double first, size_t classes, double *start);

/** Warns of such an epoch; returns whether it is one.
 *
 * @param line that of its last step
 */
bool diverge_warn(const train_line *line, double mean, double first, size_t classes,
                  const train_options *options);

#endif
