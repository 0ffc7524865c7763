/**
 * @file
 * Learning rates as functions of the step, with the values of torch.optim.lr_scheduler.
 *
 * Nothing is kept between calls, so a training that goes on from a file needs no state
 * but the number of its steps:
 *
 *     lstm_schedule_lr(&schedule, lstm_adam_steps(adam), &lr);
 *     lstm_adam_set_lr(adam, lr);
 *     lstm_adam_step(adam);
 */
#ifndef LSTM_SCHEDULE_H
#define LSTM_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** How a learning rate goes; n is the number of steps taken after the warm-up. */
typedef enum lstm_schedule_kind {
    /** lr. */
    LSTM_SCHEDULE_CONSTANT = 0,
    /** StepLR: lr gamma^(n / steps), the quotient rounded down. */
    LSTM_SCHEDULE_STEP = 1,
    /** MultiStepLR: lr gamma^(number of milestones that are at most n). */
    LSTM_SCHEDULE_MULTI_STEP = 2,
    /** ExponentialLR: lr gamma^n. */
    LSTM_SCHEDULE_EXPONENTIAL = 3,
    /** CosineAnnealingLR: min_lr + (lr - min_lr) (1 + cos(pi n / steps)) / 2. */
    LSTM_SCHEDULE_COSINE = 4,
    /** OneCycleLR: from lr / div_factor up to lr, and down to lr / div_factor /
     *  final_div_factor at the last of the steps, along half waves of a cosine. */
    LSTM_SCHEDULE_ONE_CYCLE = 5
} lstm_schedule_kind;

/** A schedule. Zero is the default of each, kind, lr and steps apart. */
typedef struct lstm_schedule {
    /** Which function of the step (default LSTM_SCHEDULE_CONSTANT). */
    lstm_schedule_kind kind;
    /** Learning rate at the start, at the top for one-cycle; finite, at least 0. */
    double lr;
    /** Length of a stair, half a wave, or the whole cycle; at least 1 where it is used,
     *  and 2 for one-cycle. */
    uint64_t steps;
    /** [milestone_count] steps in any order. */
    const uint64_t *milestones;
    /** Number of milestones (default 0). */
    size_t milestone_count;
    /** Factor, above 0 (default 0, which means 0.1). */
    double gamma;
    /** Lowest learning rate of the cosine (default 0). */
    double min_lr;
    /** Steps in which the rate rises in a straight line first, from warmup_start times
     *  lr; not for one-cycle (default 0). */
    uint64_t warmup;
    /** As start_factor of LinearLR, above 0 and at most 1 (default 0, which means 1/3).
     */
    double warmup_start;
    /** Share of the cycle that rises, above 0 and below 1 (default 0, which means 0.3).
     */
    double rise;
    /** lr by the first rate of the cycle, above 0 (default 0, which means 25). */
    double div_factor;
    /** The first rate by the last, above 0 (default 0, which means 10000). */
    double final_div_factor;
    /** One-cycle goes down to where it started in as many steps as it rose, and from
     *  there to the end (default false). */
    bool three_phase;
    /** One-cycle goes along straight lines (default false). */
    bool linear;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_schedule;

/**
 * Learning rate of a step.
 *
 * @param schedule a schedule
 * @param step number of steps taken before, 0 for the first one
 * @param[out] lr learning rate for the next one
 * @retval LSTM_OK lr is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, an option is out of range, or step
 * is beyond the cycle of one-cycle; the message names it; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_schedule_lr(const lstm_schedule *schedule, uint64_t step, double *lr);

/** ReduceLROnPlateau: lowers the rate when a metric stops getting better. Zero is the
 *  default of each option; lr is set by the caller before the first update. */
typedef struct lstm_plateau {
    /** The learning rate; changed by updates. */
    double lr;
    /** Larger metrics are better (default false). */
    bool maximize;
    /** What the rate is multiplied with, above 0 and below 1 (default 0: 0.1). */
    double factor;
    /** Updates without a better metric that are borne (default 0, which means 10; for
     *  none give a negative number). */
    int64_t patience;
    /** What a better metric has to gain (default 0, which means 1e-4; for none give a
     *  negative number). */
    double threshold;
    /** threshold is a difference, not a share (default false). */
    bool absolute;
    /** Updates after a change in which nothing counts (default 0). */
    uint64_t cooldown;
    /** The rate never falls below this (default 0). */
    double min_lr;
    /** State, false before the first update: whether best is a metric. */
    bool started;
    /** State: the best metric so far. */
    double best;
    /** State: number of updates without improvement. */
    uint64_t bad;
    /** State: number of updates of the cool-down that are left. */
    uint64_t cooling;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_plateau;

/**
 * Takes a metric, such as the loss of an epoch, and lowers plateau->lr when it is time.
 *
 * @param plateau options and state
 * @param metric any number; NaN is never better
 * @retval LSTM_OK plateau->lr is the rate from now on
 * @retval LSTM_INVALID_ARGUMENT plateau is NULL or an option is out of range; nothing
 *         was changed
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_plateau_update(lstm_plateau *plateau, double metric);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
