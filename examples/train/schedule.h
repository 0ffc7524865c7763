/**
 * @file
 * The learning rate over a run, as --schedule says it: NAME[:KEY=VALUE,...].
 *
 * Times are in epochs and may be fractions; the library counts in steps.
 */
#ifndef EXAMPLES_TRAIN_SCHEDULE_H
#define EXAMPLES_TRAIN_SCHEDULE_H

#include <stdbool.h>

#include <lstm/lstm.h>

enum { SCHEDULE_MOST_TIMES = 32 };

typedef struct train_schedule {
    /** NULL: the rate stays as it is; a name stands for its options, too. */
    const char *name;
    /** Lowered when the loss of an epoch stops falling; else rates is followed. */
    bool on_plateau;
    lstm_schedule rates;
    lstm_plateau levels;
    /** Options in epochs, and those that the library has in other units. */
    double every, warmup, gamma, patience, cooldown;
    double at[SCHEDULE_MOST_TIMES];
    size_t at_count;
    uint64_t milestones[SCHEDULE_MOST_TIMES];
} train_schedule;

/**
 * Reads the text of the option.
 *
 * @param[out] why [size] what is wrong, when it is refused
 * @return false when it is refused
 */
bool schedule_parse(train_schedule *schedule, const char *text, char *why, size_t size);

/** Prints the names, their options and defaults, for --help. */
void schedule_print_help(void);

/** Fits a schedule to the run that it is for, which has to stay at its address. */
void schedule_start(train_schedule *schedule, double lr, size_t steps_per_epoch,
                    size_t epochs);

/** Sets the rate of the next step; false with lstm_last_error() set. */
bool schedule_step(const train_schedule *schedule, lstm_adam *adam);

/** Looks at the mean loss of an epoch; false with lstm_last_error() set. */
bool schedule_end_epoch(train_schedule *schedule, lstm_adam *adam, double loss);

#endif
