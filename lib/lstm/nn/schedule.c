/*
 * Learning rates as functions of the step, in closed form. PyTorch's schedulers
 * multiply at each step, so results differ in the last digits of a double.
 */
#include <math.h>

#include "lib/lstm/core/status.h"

#include <lstm/schedule.h>

static const double pi = 3.14159265358979323846;

static double or_default(double value, double standard)
{
    return value == 0 ? standard : value;
}

static lstm_status fail_option(const char *name, double value, const char *expected)
{
    return lstm_fail(LSTM_INVALID_ARGUMENT, "schedule: %s is %g, expected %s", name,
                     value, expected);
}

/* Replaces zeros by defaults and checks the result. */
static lstm_status read_options(lstm_schedule *s)
{
    s->gamma = or_default(s->gamma, 0.1);
    s->warmup_start = or_default(s->warmup_start, 1.0 / 3);
    s->rise = or_default(s->rise, 0.3);
    s->div_factor = or_default(s->div_factor, 25);
    s->final_div_factor = or_default(s->final_div_factor, 1e4);
    bool cycle = s->kind == LSTM_SCHEDULE_ONE_CYCLE;
    bool needs_steps = cycle || s->kind == LSTM_SCHEDULE_STEP || //
                       s->kind == LSTM_SCHEDULE_COSINE;
    if (s->kind > LSTM_SCHEDULE_ONE_CYCLE)
        return fail_option("kind", s->kind, "0 to 5");
    if (!(s->lr > 0 && isfinite(s->lr)))
        return fail_option("lr", s->lr, "above 0 and finite");
    if (needs_steps && s->steps < (cycle ? 2 : 1))
        return fail_option("steps", (double)s->steps,
                           cycle ? "at least 2" : "at least 1");
    if (s->milestone_count > 0 && !s->milestones)
        return lstm_fail_null("schedule", "milestones");
    if (!(s->gamma > 0 && isfinite(s->gamma)))
        return fail_option("gamma", s->gamma, "above 0 and finite");
    if (!(s->min_lr >= 0 && isfinite(s->min_lr)))
        return fail_option("min_lr", s->min_lr, "at least 0 and finite");
    if (!(s->warmup_start > 0 && s->warmup_start <= 1))
        return fail_option("warmup_start", s->warmup_start, "above 0 and at most 1");
    if (!(s->rise > 0 && s->rise < 1))
        return fail_option("rise", s->rise, "above 0 and below 1");
    if (!(s->div_factor > 0 && isfinite(s->div_factor)))
        return fail_option("div_factor", s->div_factor, "above 0 and finite");
    if (!(s->final_div_factor > 0 && isfinite(s->final_div_factor)))
        return fail_option("final_div_factor", s->final_div_factor,
                           "above 0 and finite");
    return LSTM_OK;
}

static double milestones_passed(const lstm_schedule *s, uint64_t n)
{
    double passed = 0;
    for (size_t i = 0; i < s->milestone_count; i++)
        passed += s->milestones[i] <= n;
    return passed;
}

/* Interpolates from start to end for a position from 0 to 1. */
static double anneal(const lstm_schedule *s, double start, double end, double position)
{
    if (s->linear)
        return (end - start) * position + start;
    return end + (start - end) / 2 * (cos(pi * position) + 1);
}

/* As in PyTorch, phases end one step before the end of their length. */
static double one_cycle(const lstm_schedule *s, double n)
{
    double first = s->lr / s->div_factor, last = first / s->final_div_factor;
    double total = (double)s->steps, top = s->rise * total - 1;
    double middle = 2 * s->rise * total - 2;
    if (n <= top && top > 0)
        return anneal(s, first, s->lr, n / top);
    if (!s->three_phase)
        return anneal(s, s->lr, last, (n - top) / (total - 1 - top));
    if (n <= middle)
        return anneal(s, s->lr, first, (n - top) / (middle - top));
    return anneal(s, first, last, (n - middle) / (total - 1 - middle));
}

static double rate(const lstm_schedule *s, uint64_t n)
{
    switch (s->kind) {
    case LSTM_SCHEDULE_CONSTANT:
        return s->lr;
    case LSTM_SCHEDULE_STEP:
        return s->lr * pow(s->gamma, (double)(n / s->steps));
    case LSTM_SCHEDULE_MULTI_STEP:
        return s->lr * pow(s->gamma, milestones_passed(s, n));
    case LSTM_SCHEDULE_EXPONENTIAL:
        return s->lr * pow(s->gamma, (double)n);
    case LSTM_SCHEDULE_COSINE:
        return s->min_lr +
               (s->lr - s->min_lr) * (1 + cos(pi * (double)n / (double)s->steps)) / 2;
    case LSTM_SCHEDULE_ONE_CYCLE:
        return one_cycle(s, (double)n);
    }
    return s->lr;
}

lstm_status lstm_schedule_lr(const lstm_schedule *schedule, uint64_t step, double *lr)
{
    if (!schedule)
        return lstm_fail_null("schedule", "schedule");
    if (!lr)
        return lstm_fail_null("schedule", "lr");
    lstm_schedule s = *schedule;
    lstm_status status = lstm_check_reserved("schedule", s.reserved);
    if (!status)
        status = read_options(&s);
    if (status)
        return status;
    bool cycle = s.kind == LSTM_SCHEDULE_ONE_CYCLE;
    if (cycle && step >= s.steps)
        return lstm_fail(
            LSTM_INVALID_ARGUMENT,
            "schedule: step is %llu, expected below %llu, the steps of the cycle",
            (unsigned long long)step, (unsigned long long)s.steps);
    if (!cycle && step < s.warmup) {
        double position = (double)step / (double)s.warmup;
        *lr = s.lr * (s.warmup_start + (1 - s.warmup_start) * position);
    } else {
        *lr = rate(&s, cycle ? step : step - s.warmup);
    }
    return LSTM_OK;
}

/* Replaces zeros and negative numbers by the values that they select, and checks the
 * result. */
static lstm_status read_plateau(lstm_plateau *p)
{
    p->factor = or_default(p->factor, 0.1);
    p->threshold = p->threshold < 0 ? 0 : or_default(p->threshold, 1e-4);
    p->patience = p->patience < 0 ? 0 : p->patience == 0 ? 10 : p->patience;
    if (!(p->lr > 0 && isfinite(p->lr)))
        return fail_option("lr", p->lr, "above 0 and finite");
    if (!(p->factor > 0 && p->factor < 1))
        return fail_option("factor", p->factor, "above 0 and below 1");
    if (!isfinite(p->threshold))
        return fail_option("threshold", p->threshold, "finite");
    if (!(p->min_lr >= 0 && isfinite(p->min_lr)))
        return fail_option("min_lr", p->min_lr, "at least 0 and finite");
    return LSTM_OK;
}

static bool is_better(const lstm_plateau *p, double metric)
{
    /* PyTorch begins with the worst metric, an infinity, which it does not improve. */
    if (!p->started)
        return p->maximize ? metric > -INFINITY : metric < INFINITY;
    if (p->absolute)
        return p->maximize ? metric > p->best + p->threshold
                           : metric < p->best - p->threshold;
    return p->maximize ? metric > p->best * (1 + p->threshold)
                       : metric < p->best * (1 - p->threshold);
}

/* Updates the best metric and the counters. */
static void count_metric(lstm_plateau *p, bool better, double metric)
{
    p->bad = better ? 0 : p->bad + 1;
    if (better) {
        p->best = metric;
        p->started = true;
    }
    if (p->cooling > 0) {
        p->cooling--;
        p->bad = 0;
    }
}

lstm_status lstm_plateau_update(lstm_plateau *plateau, double metric)
{
    /* PyTorch ignores smaller changes. */
    const double least_change = 1e-8;
    if (!plateau)
        return lstm_fail_null("schedule", "plateau");
    lstm_plateau options = *plateau;
    lstm_status status = lstm_check_reserved("plateau", options.reserved);
    if (!status)
        status = read_plateau(&options);
    if (status)
        return status;
    count_metric(plateau, is_better(&options, metric), metric);
    if (plateau->bad <= (uint64_t)options.patience)
        return LSTM_OK;
    double lower = fmax(plateau->lr * options.factor, plateau->min_lr);
    if (plateau->lr - lower > least_change)
        plateau->lr = lower;
    plateau->cooling = plateau->cooldown;
    plateau->bad = 0;
    return LSTM_OK;
}
