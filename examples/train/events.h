/**
 * @file
 * The events of a run for TensorBoard, in a folder of --tensorboard: each part of a run
 * writes a file of its own, which TensorBoard joins by the number of the step.
 */
#ifndef EXAMPLES_TRAIN_EVENTS_H
#define EXAMPLES_TRAIN_EVENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "examples/train/line.h"
#include "examples/train/options.h"
#include "examples/train/trainer.h"

/** An open file of events; all zeros without --tensorboard. */
typedef struct train_events {
    FILE *stream;
    char *path;
    /** The folder, which is locked, its name, and the bytes of the part of it that this
     *  run has made; 0: none. */
    int folder;
    const char *name;
    size_t made;
    /** Steps of an epoch. */
    size_t steps;
    /** A file that was written before the last sync has its name on the disk. */
    bool synced;
} train_events;

/** Refuses a folder that has events of another run already, unless the run is resumed
 *  or --force is given, or that cannot be written; false after an error message. */
bool events_check(const train_options *options);

/**
 * Creates the folder and a file with the options of the run in it.
 *
 * @param[out] events to be closed with events_close(); on failure with events_abandon()
 * @return false after an error message
 */
bool events_open(train_events *events, const train_options *options,
                 const train_state *trainer);

/** Writes the loss of a step. All calls but the last ones do nothing without a file,
 * and return false with errno set. */
bool events_step(train_events *events, const train_line *line);

/** Writes the mean loss and the learning rate of an epoch. */
bool events_epoch(train_events *events, size_t epoch, double mean, double lr);

/** Writes the accuracy of an epoch on a set, "Test" or "Validation". */
bool events_accuracy(train_events *events, const char *set, size_t epoch,
                     double accuracy);

/** Waits until all events are on the disk. */
bool events_sync(train_events *events);

/** Closes the file. */
bool events_close(train_events *events);

/** Closes and removes the file, and the folders that events_open() has made for it. */
void events_abandon(train_events *events);

#endif
