#include <math.h>
#include <stdio.h>

#include "examples/common/message.h"
#include "examples/train/diverge.h"

enum { ADVICE_SIZE = 120 };
/* Batches differ in their loss. */
static const double margin = 1.05;

/* The learning rate, and where it comes from. */
static const char *name_rate(char *text, const train_line *line,
                             const train_options *options)
{
    if (options->schedule.name)
        snprintf(text, ADVICE_SIZE, "the rate is %g by --lr %g and --schedule %s",
                 line->lr, options->lr, options->schedule.name);
    else
        snprintf(text, ADVICE_SIZE, "--lr %g", options->lr);
    return text;
}

/* Smaller steps than those of the options. */
static const char *advise(char *text, const train_line *line,
                          const train_options *options)
{
    double lr = options->lr > 0.001 ? fmax(options->lr / 10, 0.001) : options->lr / 10;
    int size = line->lr > options->lr
                   ? snprintf(text, ADVICE_SIZE,
                              "try a --schedule that stays below --lr %g", options->lr)
                   : snprintf(text, ADVICE_SIZE, "try --lr %g", lr);
    if (options->clip_norm == 0)
        snprintf(text + size, ADVICE_SIZE - (size_t)size, " or --clip-norm 1");
    return text;
}

bool diverge_loss(const train_line *line, const train_options *options)
{
    char advice[ADVICE_SIZE], rate[ADVICE_SIZE];
    return message_error("epoch %zu, step %zu: the loss is %g, expected a finite "
                         "number: the run diverged, probably because its steps are too "
                         "large (%s); %s",
                         line->epoch, line->step, (double)line->loss,
                         name_rate(rate, line, options), advise(advice, line, options));
}

bool diverge_found(double mean, double first, size_t classes, double *start)
{
    double guessing = log((double)(classes > 1 ? classes : 2));
    *start = first < 0 ? guessing : fmax(first, guessing / 2);
    return mean > margin * *start;
}

bool diverge_warn(const train_line *line, double mean, double first, size_t classes,
                  const train_options *options)
{
    char advice[ADVICE_SIZE], rate[ADVICE_SIZE];
    double start;
    if (!diverge_found(mean, first, classes, &start))
        return false;
    const char *what = start == first ? "the loss of the first step"
                       : first < 0    ? "the loss of guessing"
                                      : "half the loss of guessing";
    message_warning("epoch %zu: the mean loss is %.4g, above %.4g, %s: the run "
                    "diverges, probably because its steps are too large (%s); %s; "
                    "if that does not help, the labels may not fit the images",
                    line->epoch, mean, start, what, name_rate(rate, line, options),
                    advise(advice, line, options));
    return true;
}
