/**
 * @file
 * The course of a training: the loss of each step, and what is known of each epoch.
 */
#ifndef EXAMPLES_REPORT_HISTORY_H
#define EXAMPLES_REPORT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/** A step: its epoch and its number in it, both from 1. */
typedef struct history_step {
    size_t epoch, step;
    float loss;
} history_step;

/** An epoch that is complete. Accuracies are negative if the set was not evaluated. */
typedef struct history_epoch {
    size_t epoch;
    /** Mean of the sample losses; negative if steps of the epoch are missing. */
    double mean;
    double validation, test;
    /** Learning rate of the last step, and seconds of the run at the end. */
    double lr, seconds;
} history_epoch;

/** All zeros is one without steps, of which the sizes are set. */
typedef struct history {
    /** Sizes of the run: steps of an epoch, images, images in a batch. */
    size_t steps_per_epoch, samples, batch;
    history_step *steps;
    size_t step_count, step_room;
    history_epoch *epochs;
    size_t epoch_count, epoch_room;
} history;

/** Appends a step; one that is not after the last is ignored. False without memory. */
bool history_add(history *h, size_t epoch, size_t step, float loss);

/** Ends an epoch, whose mean follows from its steps. False without memory. */
bool history_end_epoch(history *h, size_t epoch, double validation, double test,
                       double lr, double seconds);

/** The number of a step from 1 over all epochs. */
size_t history_position(const history *h, const history_step *step);

/** Whether the history begins with the first step of the run. */
bool history_is_whole(const history *h);

/** Frees the arrays. */
void history_free(history *h);

#endif
