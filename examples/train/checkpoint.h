/**
 * @file
 * Checkpoints: a file from which a run goes on to the same bits, in mid-epoch as well.
 *
 * Beside parameters, optimiser and generator it has the options of the run under their
 * names in its metadata, and under CHECKPOINT_KEY where the run is.
 */
#ifndef EXAMPLES_TRAIN_CHECKPOINT_H
#define EXAMPLES_TRAIN_CHECKPOINT_H

#include "examples/train/trainer.h"

/** Writes a checkpoint, in place of an older one; false after a message. */
bool checkpoint_save(const train_state *trainer, const char *path);

/**
 * Brings a trainer to where a checkpoint is.
 *
 * @param trainer created with the network of the checkpoint, and with data to train on
 * @return false after a message
 */
bool checkpoint_load(train_state *trainer, const char *path);

#endif
