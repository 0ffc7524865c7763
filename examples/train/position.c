#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/train/position.h"

/* Floating-point values are hexadecimal, which is exact. The text is written in parts:
 * snprintf() may allocate memory for more than some ten values and, if it cannot,
 * returns as if it had written everything. */
#define WRITE_RUN                                                                      \
    "seed %" PRIu64 " samples %zu batch %zu epoch %zu step %zu order %" PRIu64
#define WRITE_LOSS " loss %a of %zu last %a plateau %d %a %" PRIu64 " %" PRIu64
#define WRITE_BEST " completed %zu best %zu %zu %zu seconds %a"
#define READ                                                                           \
    "seed %" SCNu64 " samples %zu batch %zu epoch %zu step %zu order %" SCNu64         \
    " loss %la of %zu last %a plateau %d %la %" SCNu64 " %" SCNu64                     \
    " completed %zu best %zu %zu %zu seconds %la"
enum { FIELDS = 18, MAX_EPOCHS = 1000000 };

void position_write(const train_position *p, char *text)
{
    snprintf(text, POSITION_SIZE, WRITE_RUN, p->seed, p->samples, p->batch, p->epoch,
             p->step, p->order);
    size_t length = strlen(text);
    snprintf(text + length, POSITION_SIZE - length, WRITE_LOSS, p->loss_sum,
             p->loss_count, (double)p->loss_last, p->plateau_started, p->plateau_best,
             p->plateau_bad, p->plateau_cooling);
    length += strlen(text + length);
    snprintf(text + length, POSITION_SIZE - length, WRITE_BEST, p->completed,
             p->best_epoch, p->best_correct, p->best_bad, p->seconds);
}

/* sscanf() also takes signs, leading zeros and numbers beyond the range of their type:
 * none of them is what would be written. */
bool position_read(train_position *p, const char *text)
{
    char again[POSITION_SIZE];
    *p = (train_position){0};
    if (sscanf(text, READ, &p->seed, &p->samples, &p->batch, &p->epoch, &p->step,
               &p->order, &p->loss_sum, &p->loss_count, &p->loss_last,
               &p->plateau_started, &p->plateau_best, &p->plateau_bad,
               &p->plateau_cooling, &p->completed, &p->best_epoch, &p->best_correct,
               &p->best_bad, &p->seconds) != FIELDS)
        return false;
    position_write(p, again);
    return strcmp(text, again) == 0;
}

/* Before the first epoch nothing has a value. */
static bool is_start(const train_position *p)
{
    return p->step == 0 && p->order == 0 && p->loss_last == 0 && p->completed == 0;
}

/* An epoch is complete, or the one before it is. */
static bool is_epoch(const train_position *p, const train_limits *limits)
{
    if (p->epoch == 0)
        return is_start(p);
    bool complete = p->completed == p->epoch;
    return p->epoch <= MAX_EPOCHS && (complete || p->completed == p->epoch - 1) &&
           p->step <= limits->steps && (!complete || p->step == limits->steps);
}

/* The losses are those of the images so far; a run that diverges is not saved. */
static bool is_loss(const train_position *p, const train_limits *limits)
{
    size_t count = p->step == limits->steps ? p->samples : p->step * p->batch;
    return p->loss_count == count && isfinite(p->loss_sum) && isfinite(p->loss_last) &&
           (count > 0 || p->loss_sum == 0);
}

static bool is_plateau(const train_position *p, const train_limits *limits)
{
    if (!limits->plateau || p->completed == 0)
        return p->plateau_started == 0 && p->plateau_best == 0 && p->plateau_bad == 0 &&
               p->plateau_cooling == 0;
    return p->plateau_started == 1 && isfinite(p->plateau_best) &&
           p->plateau_bad <= limits->patience && p->plateau_bad < p->completed &&
           p->plateau_cooling <= limits->cooldown;
}

/* Each complete epoch was validated. */
static bool is_best(const train_position *p, const train_limits *limits)
{
    if (limits->validation == 0 || p->completed == 0)
        return p->best_epoch == 0 && p->best_correct == 0 && p->best_bad == 0;
    return p->best_epoch >= 1 && p->best_epoch <= p->completed &&
           p->best_bad == p->completed - p->best_epoch &&
           p->best_correct <= limits->validation;
}

bool position_is_possible(const train_position *p, const train_limits *limits)
{
    return is_epoch(p, limits) && is_loss(p, limits) && is_plateau(p, limits) &&
           is_best(p, limits) && p->seconds >= 0 && isfinite(p->seconds);
}
