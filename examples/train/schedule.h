/**
 * @file
 * The learning rate schedule of --schedule: NAME[:KEY=VALUE,...].
 *
 * Times are in epochs and may be fractions; the library counts steps.
 */
#ifndef EXAMPLES_TRAIN_SCHEDULE_H
#define EXAMPLES_TRAIN_SCHEDULE_H

#include <stdbool.h>

#include <lstm/lstm.h>

enum { SCHEDULE_MAX_MILESTONES = 32 };

typedef struct train_schedule {
    /** NULL: the learning rate is constant. */
    const char *name;
    /** true: levels reduces the rate when the loss stops improving; false: rates sets
     * it at each step. */
    bool on_plateau;
    lstm_schedule rates;
    lstm_plateau levels;
    /** Options that need a conversion to the units of the library. */
    double every, warmup, gamma, patience, cooldown;
    double at[SCHEDULE_MAX_MILESTONES];
    size_t at_count;
    uint64_t milestones[SCHEDULE_MAX_MILESTONES];
} train_schedule;

/**
 * Parses the value of --schedule.
 *
 * @param[out] why [size] the reason if the text is not valid
 * @return false if the text is not valid
 */
bool schedule_parse(train_schedule *schedule, const char *text, char *why, size_t size);

/** Prints all schedules with their options and defaults, for --help. */
void schedule_print_help(void);

/** Converts the schedule to steps of a run. The struct MUST NOT move afterwards,
 * because rates points into it. */
void schedule_start(train_schedule *schedule, double lr, size_t steps_per_epoch,
                    size_t epochs);

/**
 * Whether the first or the last of the steps of a run has a rate above the one that
 * schedule_start() was given: all others are between them and that one.
 *
 * @param[out] step that step, from 1
 * @param[out] lr its rate
 */
bool schedule_rises(const train_schedule *schedule, size_t steps, size_t *step,
                    double *lr);

/** Sets the learning rate of the next step; on failure false, with lstm_last_error()
 *  set. */
bool schedule_step(const train_schedule *schedule, lstm_adam *adam);

/** Updates the learning rate from the mean loss of an epoch; on failure false, with
 *  lstm_last_error() set. */
bool schedule_end_epoch(train_schedule *schedule, lstm_adam *adam, double loss);

#endif
