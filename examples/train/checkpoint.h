/**
 * @file
 * Checkpoints: files from which a run resumes bit for bit, also in the middle of an
 * epoch.
 *
 * A checkpoint has the parameters and the state of the optimiser and of the random
 * number generator. Its metadata has the options of the run under their names, and the
 * position of the run under CHECKPOINT_KEY.
 */
#ifndef EXAMPLES_TRAIN_CHECKPOINT_H
#define EXAMPLES_TRAIN_CHECKPOINT_H

#include "examples/train/trainer.h"

/** Writes a checkpoint and replaces an older one; false after an error message. */
bool checkpoint_save(const train_state *trainer, const char *path);

/**
 * Restores the state of a run from a checkpoint.
 *
 * @param trainer created with the network of the checkpoint and with training data
 * @return false after an error message
 */
bool checkpoint_load(train_state *trainer, const char *path);

#endif
