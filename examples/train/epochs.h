/**
 * @file
 * The epochs of a run: steps, evaluation, log and checkpoints.
 */
#ifndef EXAMPLES_TRAIN_EPOCHS_H
#define EXAMPLES_TRAIN_EPOCHS_H

#include "examples/train/options.h"
#include "examples/train/report.h"
#include "examples/train/trainer.h"

typedef struct train_run {
    train_state *trainer;
    train_report *report;
    const train_options *options;
    /** Becomes true when the run must end after the current step. */
    volatile const bool *stop;
    /** Steps and time of the last checkpoint of --checkpoint-every. */
    uint64_t unsaved_steps;
    double saved;
    /** Loss of the first step of the run; negative if this part did not see it. */
    double first_loss;
} train_run;

/**
 * Trains until the last epoch or until stop; with --epochs 0 only tests. After the last
 * epoch the network has the weights that --keep selects.
 *
 * @return false after an error message
 */
bool epochs_train(train_run *run);

#endif
