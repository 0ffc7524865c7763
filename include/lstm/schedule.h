/**
 * @file
 * Learning rates as functions of the step, with the values of torch.optim.lr_scheduler.
 *
 * A schedule has no state. A training that continues from a checkpoint needs only the
 * number of steps:
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

/** Formula of a learning rate; n is the number of steps after the warm-up. */
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
    /** OneCycleLR: rises from lr / div_factor to lr, then falls to lr / div_factor /
     * final_div_factor at the last step. Each phase is half a period of a cosine.
     */
    LSTM_SCHEDULE_ONE_CYCLE = 5
} lstm_schedule_kind;

/** A schedule. Zero is the default of each option except lr and steps. */
typedef struct lstm_schedule {
    /** The formula (default LSTM_SCHEDULE_CONSTANT). */
    lstm_schedule_kind kind;
    /** Initial learning rate, or the maximum for one-cycle; finite, above 0. */
    double lr;
    /** Number of steps between two reductions (step), of half a period (cosine), or of
     * the whole cycle (one-cycle); at least 1 if the kind uses it, at least 2 for
     * one-cycle. */
    uint64_t steps;
    /** [milestone_count] steps in any order. */
    const uint64_t *milestones;
    /** Number of milestones (default 0). */
    size_t milestone_count;
    /** Factor of each reduction, above 0 (default 0, which means 0.1). */
    double gamma;
    /** Minimum of the cosine (default 0). */
    double min_lr;
    /** Number of steps of a linear warm-up from warmup_start * lr to lr; not used by
     * one-cycle (default 0). */
    uint64_t warmup;
    /** start_factor of LinearLR, above 0 and at most 1 (default 0, which means 1/3). */
    double warmup_start;
    /** pct_start of OneCycleLR: the fraction of the cycle in which the rate rises,
     * above 0 and below 1 (default 0, which means 0.3). */
    double rise;
    /** lr divided by the initial rate of the cycle, above 0 (default 0, which means
     * 25).
     */
    double div_factor;
    /** Initial rate divided by the final rate, above 0 (default 0, which means 10000).
     */
    double final_div_factor;
    /** One-cycle: fall to the initial rate in as many steps as the rise had, and then
     * to the final rate (default false). */
    bool three_phase;
    /** One-cycle: each phase is linear (default false: a cosine). */
    bool linear;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_schedule;

/**
 * Computes the learning rate of a step.
 *
 * @param schedule a schedule
 * @param step number of steps made so far, 0 before the first one
 * @param[out] lr learning rate of the next step
 * @retval LSTM_OK lr was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, an option is out of range, or step
 *         is not below the steps of one-cycle (the message names it); nothing was
 *         written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
lstm_status lstm_schedule_lr(const lstm_schedule *schedule, uint64_t step, double *lr);

/** ReduceLROnPlateau: reduces lr when a metric stops improving. Zero is the default of
 *  each option except lr. */
typedef struct lstm_plateau {
    /** The learning rate, finite, above 0: set it before the first update, for example
     *  to lstm_adam_lr(). Updates reduce it. */
    double lr;
    /** A larger metric is better (default false). */
    bool maximize;
    /** Factor of a reduction, above 0 and below 1 (default 0, which means 0.1). */
    double factor;
    /** Number of updates without improvement before lr is reduced (default 0, which
     * means 10; a negative number means 0). */
    int64_t patience;
    /** Minimum improvement (default 0, which means 1e-4; a negative number means 0). */
    double threshold;
    /** threshold is absolute (default false: relative to the best metric). */
    bool absolute;
    /** Number of updates to wait after a reduction before counting again (default 0).
     */
    uint64_t cooldown;
    /** Minimum of lr (default 0). */
    double min_lr;
    /** State: best has a value; false before the first update. */
    bool started;
    /** State: the best metric so far. */
    double best;
    /** State: number of updates without improvement. */
    uint64_t bad;
    /** State: number of updates left to wait. */
    uint64_t cooling;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_plateau;

/**
 * Processes the next value of a metric, such as the loss of an epoch, and reduces
 * plateau->lr after too many updates without improvement. A reduction by 1e-8 or less,
 * PyTorch's eps, is not applied.
 *
 * @param plateau options and state
 * @param metric any number; NaN is never an improvement, and neither is the worst
 *        number, +infinity or with maximize -infinity, as in PyTorch
 * @retval LSTM_OK plateau->lr is the rate to use now
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
